// A picture's file without its pixels: what stands beside them is all that a recipe needs, so a drop
// sends a few kilobytes and not the picture. The server reads the same chunks of a whole file.

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PIXELS = { png: ["IDAT", "fdAT"], webp: ["VP8 ", "VP8L", "ALPH", "ANMF", "ICCP"] };
const SCAN = 0xda;
const ALONE = (marker) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);

/** "png", "jpeg", "webp", or null for anything else. @param {Uint8Array} bytes */
export function kindOf(bytes) {
  if (PNG.every((value, at) => bytes[at] === value)) return "png";
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (letters(bytes, 0) === "RIFF" && letters(bytes, 8) === "WEBP") return "webp";
  return null;
}

/**
 * The same file without its pixels; null for no PNG, JPEG or WebP.
 * @param {Blob} file @returns {Promise<Blob|null>}
 */
export async function withoutPixels(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const kind = kindOf(bytes);
  if (!kind) return null;
  const parts = { png: () => chunks(bytes, 8, "png"), webp: () => chunks(bytes, 12, "webp"), jpeg: () => segments(bytes) }[kind]();
  return new Blob(parts);
}

/** The head of the file and every chunk that holds no pixels. */
function chunks(bytes, start, kind) {
  const view = new DataView(bytes.buffer);
  const kept = [bytes.subarray(0, start)];
  let at = start;
  while (at + 8 <= bytes.length) {
    const [length, name] = kind === "png" ? [view.getUint32(at), letters(bytes, at + 4)] : [view.getUint32(at + 4, true), letters(bytes, at)];
    const end = at + length + (kind === "png" ? 12 : 8 + (length % 2));
    if (!PIXELS[kind].includes(name)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return kept;
}

/** Everything up to where a JPEG's pixels begin. */
function segments(bytes) {
  const view = new DataView(bytes.buffer);
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== SCAN) {
    if (bytes[at + 1] === 0xff) at += 1;
    else at += ALONE(bytes[at + 1]) ? 2 : 2 + view.getUint16(at + 2);
  }
  return [bytes.subarray(0, at)];
}

const letters = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + 4));
