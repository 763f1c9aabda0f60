// Undo and redo: the tiles that each change touched, before and after, within a bound of memory.

const MOST_BYTES = 256 * 2 ** 20;

/** @typedef {{raster: import("./raster.js").Raster, tiles: {index: number, before: Uint8ClampedArray, after: Uint8ClampedArray}[]}} Change */

/** @param {(change: Change) => void} onChange something was taken back or done again */
export function createHistory(onChange) {
  /** @type {Change[]} */
  let done = [];
  /** @type {Change[]} */
  let undone = [];

  const bytesOf = ({ tiles }) => tiles.reduce((sum, tile) => sum + 2 * tile.before.length, 0);

  function forget() {
    let bytes = done.reduce((sum, change) => sum + bytesOf(change), 0);
    while (bytes > MOST_BYTES && done.length > 1) bytes -= bytesOf(done.shift());
  }

  function move(from, to, which) {
    const change = from.pop();
    if (!change) return false;
    for (const tile of change.tiles) change.raster.put(tile.index, tile[which]);
    to.push(change);
    onChange(change);
    return true;
  }

  return {
    /** @param {Change} change that was made just now */
    add(change) {
      if (!change.tiles.length) return;
      done.push(change);
      undone = [];
      forget();
    },
    /** @returns {boolean} whether there was something to take back */
    undo: () => move(done, undone, "before"),
    redo: () => move(undone, done, "after"),
    get canUndo() {
      return done.length > 0;
    },
    get canRedo() {
      return undone.length > 0;
    },
  };
}
