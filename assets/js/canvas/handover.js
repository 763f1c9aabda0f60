// Pictures, masks and colours as PNG to the server, each at the picture's own size, and what it answers.
import { base64, sources } from "../api.js";
import { t } from "../i18n.js";

const PROPORTION = 0.02; // by how much a mask's may differ from the picture's

/** @param {ImageData} pixels @returns {Promise<string>} a PNG in base64 */
async function png(pixels) {
  const surface = document.createElement("canvas");
  [surface.width, surface.height] = [pixels.width, pixels.height];
  surface.getContext("2d").putImageData(pixels, 0, 0);
  return base64(await new Promise((resolve) => surface.toBlob(resolve, "image/png")));
}

/** A mask as grey pixels. @param {import("./raster.js").Raster} mask */
function grey({ width, height, data }) {
  const pixels = new ImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  for (let at = 0; at < data.length; at += 1) words[at] = 0xff000000 | (data[at] * 0x010101);
  return pixels;
}

/**
 * What the server makes of a file: upright and in 8 bits. ApiError with its sentence where it is no picture.
 * @param {Blob} file @returns {Promise<{hash: string, width: number, height: number}>}
 */
export const handPicture = async (file) => sources.keep({ image: await base64(file) });

/** @param {import("./raster.js").Raster} mask @returns {Promise<string>} its hash */
export const handMask = async (mask) => (await sources.keep({ image: await png(grey(mask)) })).hash;

/**
 * The picture with colours on it; where there are none it stays what it is, to the bit.
 * @param {string} hash the picture's @param {import("./raster.js").Raster} sketch @returns {Promise<string>} the new hash
 */
export async function handSketch(hash, { width, height, data }) {
  const over = await png(new ImageData(data, width, height));
  return (await sources.keep({ image: hash, over })).hash;
}

/** An even sheet to draw on. @param {number} width @param {number} height @param {string} colour */
export async function handSheet(width, height, colour) {
  const surface = document.createElement("canvas");
  [surface.width, surface.height] = [width, height];
  const context = surface.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return sources.keep({ image: await base64(await new Promise((resolve) => surface.toBlob(resolve, "image/png"))) });
}

/**
 * A picture's file as a mask of a size. Throws a sentence where its proportions are others.
 * @param {Blob} file @param {{width: number, height: number}} size @returns {Promise<Uint8ClampedArray>}
 */
export async function handMaskFile(file, { width, height }) {
  const kept = await handPicture(file);
  if (Math.abs((kept.width * height) / (kept.height * width) - 1) > PROPORTION) {
    throw new Error(t("canvas.mask.size", { across: kept.width, down: kept.height, width, height }));
  }
  return maskOf(kept.hash, width, height);
}

/**
 * A kept picture's brightness as a mask of a size; where it is transparent it is black.
 * @param {string} hash @param {number} width @param {number} height @returns {Promise<Uint8ClampedArray>}
 */
export async function maskOf(hash, width, height) {
  const image = new Image();
  image.src = sources.file(hash);
  await image.decode();
  const surface = document.createElement("canvas");
  [surface.width, surface.height] = [width, height];
  const context = surface.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const mask = new Uint8ClampedArray(width * height);
  for (let at = 0; at < mask.length; at += 1) mask[at] = 0.299 * data[at * 4] + 0.587 * data[at * 4 + 1] + 0.114 * data[at * 4 + 2];
  return mask;
}
