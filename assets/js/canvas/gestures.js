// Hands on the canvas: a mouse, a pen or one finger draws; two fingers, the wheel and Space move the view.

const WHEEL = 0.0016;
const PINCH = 12; // pixels that one finger may have drawn before a second one makes it a pinch

/**
 * @param {HTMLElement} root
 * @param {{view: any, moves: () => boolean, onStart: (point: any, event: PointerEvent) => boolean,
 *   onMove: (point: any, event: PointerEvent) => void, onEnd: () => void, onCancel: () => void,
 *   onHover: (point: any, event: PointerEvent|null) => void}} hands `moves`: whether a drag moves the view
 */
export function createGestures(root, { view, moves, onStart, onMove, onEnd, onCancel, onHover }) {
  /** Pointers that are down, by id. @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let doing = ""; // "draw", "pan", "pinch" or nothing
  let drawn = 0; // how far a stroke has come, in screen pixels

  const at = (event) => ({ x: event.clientX, y: event.clientY });
  const middle = ([one, two]) => ({ x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 });
  const apart = ([one, two]) => Math.hypot(one.x - two.x, one.y - two.y) || 1;

  function inRoot(point) {
    const box = root.getBoundingClientRect();
    return { x: point.x - box.left, y: point.y - box.top };
  }

  function press(event) {
    if (event.target.closest("button, input") || down.size >= 2) return;
    if (down.size && event.pointerType !== "touch") return;
    if (event.button > 1) return;
    if (event.button === 1) event.preventDefault(); // no scrolling by itself
    root.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    if (down.size === 2) return pinch();
    drawn = 0;
    if (event.button === 1 || moves()) doing = "pan";
    else doing = onStart(view.toPicture(event), event) ? "draw" : "";
    root.classList.toggle("is-panning", doing === "pan");
  }

  function pinch() {
    if (doing === "draw") drawn > PINCH ? onEnd() : onCancel();
    doing = "pinch";
  }

  function move(event) {
    const before = down.get(event.pointerId);
    if (!before) return onHover(view.toPicture(event), event);
    const now = at(event);
    if (doing === "draw") {
      drawn += Math.hypot(now.x - before.x, now.y - before.y);
      const all = event.getCoalescedEvents?.() ?? [];
      for (const each of all.length ? all : [event]) onMove(view.toPicture(each), each);
    } else if (doing === "pan") view.panBy(now.x - before.x, now.y - before.y);
    else if (doing === "pinch" && down.size === 2) spread(event.pointerId, now);
    down.set(event.pointerId, now);
    return undefined;
  }

  /** Two fingers: what lies between them stays between them. */
  function spread(id, now) {
    const before = [...down.values()];
    const after = [...down].map(([each, point]) => (each === id ? now : point));
    const [from, to] = [middle(before), middle(after)];
    view.zoomAt(inRoot(from), apart(after) / apart(before));
    view.panBy(to.x - from.x, to.y - from.y);
  }

  function lift(event) {
    if (!down.delete(event.pointerId)) return;
    if (doing === "draw") event.type === "pointercancel" ? onCancel() : onEnd();
    if (!down.size || doing === "draw") doing = down.size ? "pinch" : "";
    root.classList.remove("is-panning");
  }

  function wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode ? 16 : 1;
    if (event.shiftKey) view.panBy(-(event.deltaX || event.deltaY) * lines, 0);
    else view.zoomAt(inRoot(at(event)), Math.exp(-event.deltaY * lines * WHEEL * (event.ctrlKey ? 5 : 1)));
    onHover(view.toPicture(event), event);
  }

  root.addEventListener("pointerdown", press);
  root.addEventListener("pointermove", move);
  root.addEventListener("pointerup", lift);
  root.addEventListener("pointercancel", lift);
  root.addEventListener("pointerleave", () => onHover(null, null));
  root.addEventListener("wheel", wheel, { passive: false });
  root.addEventListener("contextmenu", (event) => down.size && event.preventDefault());
}
