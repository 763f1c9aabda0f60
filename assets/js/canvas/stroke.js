// One stroke of a brush. However often it crosses itself, a pixel takes the strongest ink it met:
// soft edges stay as soft as they were chosen, and half of the ink lies where the brush's ring is.

/**
 * @typedef {(before: Uint8ClampedArray, from: number, ink: number, data: Uint8ClampedArray, at: number) => void} Blend
 *   puts ink (0…255) on the pixel that lies at `from` in a tile's old pixels and at `at` in the raster's
 */

/** Masks: white is what is drawn anew. @type {Blend} */
export const reveal = (before, from, ink, data, at) => {
  data[at] = Math.max(before[from], ink);
};

/** @type {Blend} */
export const conceal = (before, from, ink, data, at) => {
  data[at] = Math.min(before[from], 255 - ink);
};

/** Colour over what is there (Porter & Duff 1984). @param {number[]} colour red, green, blue @returns {Blend} */
export const colour = ([red, green, blue]) => (before, from, ink, data, at) => {
  const upper = ink / 255;
  const lower = (before[from + 3] / 255) * (1 - upper);
  const whole = upper + lower;
  data[at] = (red * upper + before[from] * lower) / whole;
  data[at + 1] = (green * upper + before[from + 1] * lower) / whole;
  data[at + 2] = (blue * upper + before[from + 2] * lower) / whole;
  data[at + 3] = 255 * whole;
};

/** Colours: transparent again. @type {Blend} */
export const wipe = (before, from, ink, data, at) => {
  data[at + 3] = before[from + 3] * (1 - ink / 255);
};

/**
 * @param {import("./raster.js").Raster} raster @param {{softness: number, blend: Blend}} brush softness 0…1
 */
export function createStroke(raster, { softness, blend }) {
  /** What a tile was, and the ink on each of its pixels. @type {Map<number, {before: Uint8ClampedArray, ink: Uint8Array}>} */
  const touched = new Map();

  function touch(index) {
    const before = raster.copy(index);
    const tile = { before, ink: new Uint8Array(before.length / raster.channels) };
    touched.set(index, tile);
    return tile;
  }

  /** Ink within reach of a line on one tile. */
  function inkTile(index, line, box) {
    const { before, ink } = touched.get(index) ?? touch(index);
    const tile = raster.boxOf(index);
    const { channels, width, data } = raster;
    for (let y = Math.max(box.top, tile.top); y < Math.min(box.bottom, tile.bottom); y += 1) {
      for (let x = Math.max(box.left, tile.left); x < Math.min(box.right, tile.right); x += 1) {
        const value = line(x + 0.5, y + 0.5);
        const place = (y - tile.top) * (tile.right - tile.left) + x - tile.left;
        if (value <= ink[place]) continue;
        ink[place] = value;
        blend(before, place * channels, value, data, (y * width + x) * channels);
      }
    }
  }

  return {
    /**
     * Ink from one point to another. @returns {import("./raster.js").Box} what may have changed
     * @param {{x: number, y: number}} from @param {{x: number, y: number}} to @param {number} radius in pixels
     */
    line(from, to, radius) {
      const edge = Math.max(0.5, softness * radius);
      const reach = radius + edge;
      const box = {
        left: Math.max(0, Math.floor(Math.min(from.x, to.x) - reach)),
        top: Math.max(0, Math.floor(Math.min(from.y, to.y) - reach)),
        right: Math.min(raster.width, Math.ceil(Math.max(from.x, to.x) + reach)),
        bottom: Math.min(raster.height, Math.ceil(Math.max(from.y, to.y) + reach)),
      };
      const inkAt = inkAlong(from, to, reach, edge);
      for (const index of raster.within(box)) inkTile(index, inkAt, box);
      return box;
    },
    /** What undo needs: the tiles as they were and as they are. */
    done: () => ({ raster, tiles: [...touched].map(([index, { before }]) => ({ index, before, after: raster.copy(index) })) }),
    /** As if it had never been. */
    cancel() {
      for (const [index, { before }] of touched) raster.put(index, before);
    },
  };
}

/** How much ink (0…255) lies on a point near the line from one point to another. */
function inkAlong(from, to, reach, edge) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy || 1;
  const most = reach * reach;
  return (x, y) => {
    const along = Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
    const [ax, ay] = [x - from.x - along * dx, y - from.y - along * dy];
    const away = ax * ax + ay * ay;
    if (away >= most) return 0;
    const share = Math.min(1, (reach - Math.sqrt(away)) / (2 * edge));
    return Math.round(255 * share * share * (3 - 2 * share));
  };
}
