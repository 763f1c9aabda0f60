// A raster as it is seen over the picture. Of a very large one every second or third pixel is enough.

const MOST_PIXELS = 4_000_000;
const MASK_TINT = [226, 81, 47];
const STRIPES = [150, 112]; // how opaque the tint is, in turns: it shows on any colour

/** @param {import("./raster.js").Raster} raster */
export function createOverlay(raster) {
  const step = Math.ceil(Math.sqrt((raster.width * raster.height) / MOST_PIXELS));
  const surface = document.createElement("canvas");
  [surface.width, surface.height] = [Math.ceil(raster.width / step), Math.ceil(raster.height / step)];
  const context = surface.getContext("2d");
  const paint = raster.channels === 1 ? tinted(raster) : copied(raster);

  return {
    surface,
    /** How many pixels of the picture one of the surface stands for. */
    step,
    /** Shows what the raster holds now. @param {import("./raster.js").Box} box */
    refresh(box) {
      const [left, top] = [Math.floor(box.left / step), Math.floor(box.top / step)];
      const width = Math.ceil(box.right / step) - left;
      const height = Math.ceil(box.bottom / step) - top;
      if (width <= 0 || height <= 0) return;
      const part = context.createImageData(width, height);
      for (let y = 0; y < height; y += 1) {
        const row = Math.min(raster.height - 1, (top + y) * step) * raster.width;
        for (let x = 0; x < width; x += 1) {
          paint(part.data, (y * width + x) * 4, row + Math.min(raster.width - 1, (left + x) * step), left + x + top + y);
        }
      }
      context.putImageData(part, left, top);
    },
  };
}

function tinted({ data, width, height }) {
  const stripe = Math.max(4, Math.round(Math.max(width, height) / 96));
  return (pixels, at, place, diagonal) => {
    const value = data[place];
    if (!value) return;
    [pixels[at], pixels[at + 1], pixels[at + 2]] = MASK_TINT;
    pixels[at + 3] = (value * STRIPES[Math.floor(diagonal / stripe) % 2]) / 255;
  };
}

function copied({ data }) {
  return (pixels, at, place) => {
    for (let channel = 0; channel < 4; channel += 1) pixels[at + channel] = data[place * 4 + channel];
  };
}
