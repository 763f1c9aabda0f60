// Where the picture lies in the window on it: how large, which part, and drawn at most once a frame.
import { el } from "../dom.js";

const MARGIN = 28; // around a picture that is seen whole: there is room for the frame's handles
const LARGEST = 32; // screen pixels for one of the picture
const PIXELS = 10; // from this size on, pixels are seen as such
const SMALL = 8; // and a small picture is not blown up further than this to fill the window

/**
 * `paint` draws in the picture's own pixels; (0, 0) is its upper left corner.
 * @param {HTMLElement} root @param {(context: CanvasRenderingContext2D, scale: number) => void} paint
 */
export function createView(root, paint) {
  const surface = el("canvas", { class: "canvas-surface", "aria-hidden": "true" });
  const extent = el("div", { class: "canvas-extent" });
  root.append(surface, extent);
  const context = surface.getContext("2d");
  let [scale, x, y] = [1, 0, 0]; // screen = place + scale × picture
  let bounds = { left: 0, top: 0, right: 1, bottom: 1 }; // of the picture and what is added to it
  let fitted = true;
  let due = 0;

  const width = () => bounds.right - bounds.left;
  const height = () => bounds.bottom - bounds.top;
  const least = () => Math.min(wholeScale(), 1) / 2;

  function wholeScale() {
    const across = (root.clientWidth - 2 * MARGIN) / width();
    const down = (root.clientHeight - 2 * MARGIN) / height();
    return Math.max(0.001, Math.min(across, down, SMALL));
  }

  function fit() {
    fitted = true;
    scale = wholeScale();
    x = (root.clientWidth - scale * width()) / 2 - scale * bounds.left;
    y = (root.clientHeight - scale * height()) / 2 - scale * bounds.top;
    redraw();
  }

  /** Some of the picture is always in sight. */
  function held(place, size, start, window) {
    const rim = Math.min(64, window / 4);
    return Math.min(window - rim - scale * start, Math.max(rim - scale * (start + size), place));
  }

  function moveTo(nextX, nextY) {
    x = held(nextX, width(), bounds.left, root.clientWidth);
    y = held(nextY, height(), bounds.top, root.clientHeight);
    redraw();
  }

  /** Larger or smaller around a point of the window, which stays where it is. */
  function zoomAt(point, factor) {
    const next = Math.min(LARGEST, Math.max(least(), scale * factor));
    const ratio = next / scale;
    fitted = false;
    scale = next;
    moveTo(point.x - (point.x - x) * ratio, point.y - (point.y - y) * ratio);
  }

  function redraw() {
    due ||= requestAnimationFrame(draw);
  }

  function draw() {
    due = 0;
    const ratio = devicePixelRatio || 1;
    const size = [Math.round(root.clientWidth * ratio), Math.round(root.clientHeight * ratio)];
    if (surface.width !== size[0] || surface.height !== size[1]) [surface.width, surface.height] = size;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, ...size);
    context.setTransform(scale * ratio, 0, 0, scale * ratio, x * ratio, y * ratio);
    context.imageSmoothingEnabled = scale * ratio < PIXELS;
    paint(context, scale * ratio);
    const place = { left: x + scale * bounds.left, top: y + scale * bounds.top, width: scale * width(), height: scale * height() };
    for (const [name, value] of Object.entries(place)) extent.style[name] = `${value}px`;
    root.dispatchEvent(new CustomEvent("view"));
  }

  new ResizeObserver(() => (fitted ? fit() : moveTo(x, y))).observe(root);

  return {
    /** Lies over the picture and what is added to it, for handles. */
    extent,
    fit,
    redraw,
    zoomAt,
    /** From the middle. @param {number} factor */
    zoom: (factor) => zoomAt({ x: root.clientWidth / 2, y: root.clientHeight / 2 }, factor),
    panBy(dx, dy) {
      fitted = false;
      moveTo(x + dx, y + dy);
    },
    /** @param {import("./raster.js").Box} next the picture and what is added to it @param {boolean} [anew] another picture */
    setBounds(next, anew = false) {
      bounds = next;
      if (anew || fitted) fit();
      else redraw();
    },
    get scale() {
      return scale;
    },
    /** A place on the screen -> in the picture. @param {{clientX: number, clientY: number}} event */
    toPicture(event) {
      const box = root.getBoundingClientRect();
      return { x: (event.clientX - box.left - x) / scale, y: (event.clientY - box.top - y) / scale };
    },
    /** A place in the picture -> in the window. @param {{x: number, y: number}} point */
    toWindow: (point) => ({ x: x + scale * point.x, y: y + scale * point.y }),
  };
}
