// Pixels at a picture's own size, one byte (a mask) or four (colours) each, looked after in tiles:
// what a stroke changes, undo brings back and the draft keeps is then a few tiles, not the picture.

export const TILE = 256;

/**
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box in pixels; right and bottom are outside
 * @typedef {ReturnType<typeof createRaster>} Raster
 */

/** @param {number} width @param {number} height @param {1|4} channels */
export function createRaster(width, height, channels) {
  const data = new Uint8ClampedArray(width * height * channels);
  const columns = Math.ceil(width / TILE);
  const rows = Math.ceil(height / TILE);

  /** @param {number} index @returns {Box} */
  function boxOf(index) {
    const left = (index % columns) * TILE;
    const top = Math.floor(index / columns) * TILE;
    return { left, top, right: Math.min(width, left + TILE), bottom: Math.min(height, top + TILE) };
  }

  /** Calls `work` with where a tile's row begins in `data` and within the tile, and its length. */
  function eachRow(index, work) {
    const { left, top, right, bottom } = boxOf(index);
    const length = (right - left) * channels;
    for (let y = top; y < bottom; y += 1) work((y * width + left) * channels, (y - top) * length, length);
  }

  return {
    width,
    height,
    channels,
    data,
    boxOf,
    whole: { left: 0, top: 0, right: width, bottom: height },
    tiles: columns * rows,
    /** The indexes of the tiles that a box touches. @param {Box} box */
    *within({ left, top, right, bottom }) {
      if (right <= left || bottom <= top) return;
      for (let row = Math.floor(top / TILE); row * TILE < bottom; row += 1) {
        for (let column = Math.floor(left / TILE); column * TILE < right; column += 1) yield row * columns + column;
      }
    },
    /** A copy of a tile's pixels. @param {number} index */
    copy(index) {
      const { left, top, right, bottom } = boxOf(index);
      const pixels = new Uint8ClampedArray((right - left) * (bottom - top) * channels);
      eachRow(index, (from, to, length) => pixels.set(data.subarray(from, from + length), to));
      return pixels;
    },
    /** @param {number} index @param {Uint8ClampedArray} pixels as `copy` gave them */
    put(index, pixels) {
      eachRow(index, (to, from, length) => data.set(pixels.subarray(from, from + length), to));
    },
    /** The box around all that is not nothing; null where there is nothing. */
    bounds() {
      const step = width * channels;
      const box = { left: width, top: height, right: 0, bottom: 0 };
      for (let y = 0; y < height; y += 1) {
        let first = 0;
        while (first < step && !data[y * step + first]) first += 1;
        if (first === step) continue;
        let last = step - 1;
        while (!data[y * step + last]) last -= 1;
        box.top = Math.min(box.top, y);
        box.bottom = y + 1;
        box.left = Math.min(box.left, Math.floor(first / channels));
        box.right = Math.max(box.right, Math.floor(last / channels) + 1);
      }
      return box.right ? box : null;
    },
  };
}
