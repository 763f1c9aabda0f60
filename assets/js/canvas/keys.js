// The canvas by keyboard. Letters choose tools anywhere in its room; with the canvas focused, the arrow
// keys move the brush and Enter puts it down or lifts it, so that a mask can be drawn without a mouse.

const STRIDE = 0.25; // of the brush, or of a sixteenth of it with Shift held

/**
 * @param {HTMLElement} root the window on the picture
 * @param {{isHere: () => boolean, tools: any, view: any, actions: Record<string, () => void>, pen: any}} hands
 *   `pen`: the brush that the arrow keys move
 */
export function createKeys(root, { isHere, tools, view, actions, pen }) {
  const plain = {
    b: () => tools.choose({ tool: "brush" }),
    e: () => tools.choose({ tool: "eraser" }),
    h: () => tools.choose({ tool: "hand" }),
    m: () => tools.choose({ layer: tools.set.layer === "mask" ? "sketch" : "mask" }),
    i: actions.invert,
    delete: actions.clear,
    "[": () => tools.resize(1 / 1.15),
    "]": () => tools.resize(1.15),
    "+": () => view.zoom(1.25),
    "=": () => view.zoom(1.25),
    "-": () => view.zoom(0.8),
    0: view.fit,
  };
  const withControl = { z: (event) => (event.shiftKey ? actions.redo() : actions.undo()), y: actions.redo };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function press(event) {
    if (!isHere() || isTyping(event.target) || document.querySelector("dialog[open], :popover-open") || event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    const run = (control ? withControl : plain)[event.key.toLowerCase()] ?? (control ? null : onCanvas(event));
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run(event);
  }

  function onCanvas(event) {
    if (event.target !== root) return null;
    if (event.key === "Enter") return pen.toggle;
    const way = arrows[event.key];
    return way ? () => pen.moveBy(way, STRIDE * (event.shiftKey ? 0.0625 : 1)) : null;
  }

  /** While Space is held, a drag moves the view. */
  function space(event) {
    if (event.key !== " " || !isHere() || isTyping(event.target) || event.target.closest?.("button, a, [role=slider], [role=combobox]")) return;
    event.preventDefault();
    root.classList.toggle("is-held", event.type === "keydown");
  }

  document.addEventListener("keydown", press, true);
  document.addEventListener("keydown", space);
  document.addEventListener("keyup", space);
  addEventListener("blur", () => root.classList.remove("is-held"));
  return {
    get holdsSpace() {
      return root.classList.contains("is-held");
    },
  };
}

const isTyping = (target) => Boolean(target.closest?.("textarea, select, input:not([type=radio], [type=range], [type=checkbox], [type=color]), [contenteditable]"));
