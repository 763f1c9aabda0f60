// The frame around the picture: each of its sides can be drawn outwards, by hand or with the arrow keys.
import { el } from "../dom.js";
import { t } from "../i18n.js";

export const SIDES = ["left", "top", "right", "bottom"];
const MOST = 1024; // pixels that a side can take: as many as a request
const GRID = 8;
const OUTWARDS = { left: "ArrowLeft", top: "ArrowUp", right: "ArrowRight", bottom: "ArrowDown" };
const INWARDS = { left: "ArrowRight", top: "ArrowDown", right: "ArrowLeft", bottom: "ArrowUp" };

/**
 * @param {HTMLElement} extent lies over the picture and what is added to it
 * @param {{view: any, get: () => any, onDrag: (margins: any) => void, onDone: (margins: any) => void}} tools
 *   `get`: the pixels that are added on each side; `onDone` is told once a side was let go
 */
export function createFrame(extent, { view, get, onDrag, onDone }) {
  const handles = SIDES.map((side) =>
    el("button", {
      type: "button", class: "canvas-handle", "data-side": side, role: "slider", title: t(`field.outpaint_${side}`),
      "aria-label": t(`field.outpaint_${side}`), "aria-valuemin": "0", "aria-valuemax": String(MOST),
      "aria-orientation": ["left", "right"].includes(side) ? "horizontal" : "vertical",
      onpointerdown: (event) => drag(side, event), onkeydown: (event) => key(side, event),
    }),
  );
  extent.append(...handles);

  const within = (pixels) => Math.min(MOST, Math.max(0, Math.round(pixels / GRID) * GRID));

  function drag(side, event) {
    const handle = event.currentTarget;
    const before = get();
    const start = { x: event.clientX, y: event.clientY };
    event.preventDefault();
    handle.focus({ preventScroll: true });
    handle.setPointerCapture(event.pointerId);
    view.zoom(1); // what is drawn at must stay where it is while it is drawn at
    let now = before;
    const move = ({ clientX, clientY }) => {
      const away = { left: start.x - clientX, top: start.y - clientY, right: clientX - start.x, bottom: clientY - start.y }[side];
      now = { ...before, [side]: within(before[side] + away / view.scale) };
      onDrag(now);
    };
    handle.addEventListener("pointermove", move);
    const end = () => {
      handle.removeEventListener("pointermove", move);
      view.fit();
      onDone(now);
    };
    handle.addEventListener("lostpointercapture", end, { once: true });
  }

  function key(side, event) {
    const step = event.shiftKey ? 8 * GRID : GRID;
    const change = { [OUTWARDS[side]]: step, [INWARDS[side]]: -step, Home: -MOST, PageUp: 8 * GRID, PageDown: -8 * GRID }[event.key];
    if (!change) return;
    event.preventDefault();
    event.stopPropagation();
    const before = get();
    onDone({ ...before, [side]: within(before[side] + change) });
  }

  return {
    /** @param {any} margins @param {boolean} usable */
    show(margins, usable) {
      for (const handle of handles) {
        const pixels = margins[handle.dataset.side];
        handle.hidden = !usable;
        handle.dataset.pixels = pixels ? `+${pixels}` : "";
        handle.setAttribute("aria-valuenow", String(pixels));
        handle.setAttribute("aria-valuetext", t("canvas.pixels", { n: pixels }));
      }
    },
  };
}
