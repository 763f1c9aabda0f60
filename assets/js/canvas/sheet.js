// What is drawn over one picture: the mask, and colours that become part of the picture.
import { createHistory } from "./history.js";
import { createOverlay } from "./overlay.js";
import { createRaster } from "./raster.js";
import { colour, conceal, createStroke, reveal, wipe } from "./stroke.js";

/**
 * @typedef {ReturnType<typeof createSheet>} Sheet
 * @param {number} width @param {number} height @param {() => void} onChange
 */
export function createSheet(width, height, onChange) {
  const layers = { mask: layer(1), sketch: null };
  const history = createHistory(({ raster, tiles }) => {
    const { overlay } = raster === layers.mask.raster ? layers.mask : layers.sketch;
    for (const { index } of tiles) overlay.refresh(raster.boxOf(index));
    changed();
  });

  function layer(channels) {
    const raster = createRaster(width, height, channels);
    return { raster, overlay: createOverlay(raster), bounds: undefined };
  }

  /** What was measured of the layers no longer holds. */
  function changed() {
    for (const each of Object.values(layers)) if (each) each.bounds = undefined;
    onChange();
  }

  /** Colours take four times a mask's memory: they are there once they are used. */
  function layerOf(name) {
    layers[name] ??= layer(4);
    return layers[name];
  }

  /** Changes a whole layer at once. @param {"mask"|"sketch"} name @param {(data: Uint8ClampedArray) => void} work */
  function change(name, work) {
    const { raster, overlay } = layerOf(name);
    const indexes = [...raster.within(raster.whole)];
    const before = indexes.map(raster.copy);
    work(raster.data);
    const tiles = indexes.map((index) => ({ index, before: before[index], after: raster.copy(index) }));
    history.add({ raster, tiles: tiles.filter(({ before, after }) => differs(before, after)) });
    overlay.refresh(raster.whole);
    changed();
  }

  return {
    width,
    height,
    history,
    overlays: () => [layers.sketch, layers.mask].filter(Boolean).map((each) => each.overlay),
    /**
     * A stroke that begins now. @param {"mask"|"sketch"} name
     * @param {{softness: number, erases: boolean, rgb: number[]}} brush
     */
    stroke(name, { softness, erases, rgb }) {
      const { raster, overlay } = layerOf(name);
      const onMask = erases ? conceal : reveal;
      const stroke = createStroke(raster, { softness, blend: name === "mask" ? onMask : erases ? wipe : colour(rgb) });
      return {
        line: (from, to, radius) => overlay.refresh(stroke.line(from, to, radius)),
        done() {
          history.add(stroke.done());
          changed();
        },
        cancel() {
          stroke.cancel();
          overlay.refresh(raster.whole);
        },
      };
    },
    /** The box around what is drawn on a layer; null where there is nothing. @param {"mask"|"sketch"} name */
    boundsOf(name) {
      const found = layers[name];
      if (!found) return null;
      if (found.bounds === undefined) found.bounds = found.raster.bounds();
      return found.bounds;
    },
    rasterOf: (name) => layers[name]?.raster ?? null,
    clear: (name) => layers[name] && change(name, (data) => data.fill(0)),
    invert: () => change("mask", (data) => {
      for (let at = 0; at < data.length; at += 1) data[at] = 255 - data[at];
    }),
    /** @param {Uint8ClampedArray} values laid on the mask that is there */
    addMask: (values) => change("mask", (data) => {
      for (let at = 0; at < data.length; at += 1) data[at] = Math.max(data[at], values[at]);
    }),
    /** @param {Uint8ClampedArray} values the mask's, one a pixel */
    setMask: (values) => change("mask", (data) => data.set(values)),
    /** The tiles of each layer that hold anything, for the draft. */
    kept: () =>
      Object.entries(layers).flatMap(([name, each]) =>
        each ? [[name, [...each.raster.within(each.raster.whole)].map((index) => [index, each.raster.copy(index)]).filter(([, pixels]) => pixels.some(Boolean))]] : [],
      ),
    /** What `kept` gave, at an earlier visit. */
    restore(kept) {
      for (const [name, tiles] of kept) {
        if (!tiles.length) continue;
        const { raster, overlay } = layerOf(name);
        for (const [index, pixels] of tiles) raster.put(index, pixels);
        overlay.refresh(raster.whole);
      }
      changed();
    },
  };
}

/** Loops, and not the arrays' own methods: a picture has millions of pixels. */
function differs(one, other) {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at < one.length;
}
