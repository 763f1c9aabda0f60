// The tools over the canvas, and what they are set to. Sizes are shares of the picture's longer side,
// so that a brush is as handy on a small picture as on a large one.
import { el, iconButton, memory } from "../dom.js";
import { t } from "../i18n.js";
import { createWords } from "./words.js";

const LAYERS = ["mask", "sketch"];
const TOOLS = ["brush", "eraser", "hand"];
const FINEST = 0.002;
const BROADEST = 0.6;
const KEYS = { brush: "B", eraser: "E", hand: "H", undo: "Ctrl Z", redo: "Ctrl Y", invert: "I", clear: "Del" };

/**
 * @param {HTMLElement} root
 * @param {{undo: () => void, redo: () => void, invert: () => void, clear: () => void, maskFile: (file: File) => void, maskWords: (words: string) => Promise<void>,
 *   animate: () => void, open: () => void, zoom: (factor: number) => void, fit: () => void, changed: () => void}} actions `changed`: a tool is set otherwise
 */
export function createTools(root, actions) {
  const set = { layer: "mask", tool: "brush", size: 0.08, softness: 0.3, colour: "#2f6fb3", ...memory.get("canvas.tools") };
  const layers = LAYERS.map((name) => el("button", { type: "button", class: "segment", title: t(`canvas.${name}.help`), onclick: () => choose({ layer: name, tool: set.tool === "hand" ? "brush" : set.tool }) }, t(`canvas.${name}`)));
  const tools = TOOLS.map((name) => iconButton(name, t(`canvas.${name}`), () => choose({ tool: name }), { keys: KEYS[name] }));
  tools.forEach((button, index) => (button.dataset.tool = TOOLS[index]));
  const size = range("size", (share) => FINEST * (BROADEST / FINEST) ** share, (value) => Math.log(value / FINEST) / Math.log(BROADEST / FINEST));
  const softness = range("softness", (share) => share, (value) => value);
  const colour = el("input", { type: "color", class: "canvas-colour", value: set.colour, "aria-label": t("canvas.colour"), title: t("canvas.colour"), oninput: () => choose({ colour: colour.value }) });
  const undo = iconButton("undo", t("canvas.undo"), actions.undo, { keys: KEYS.undo });
  const redo = iconButton("redo", t("canvas.redo"), actions.redo, { keys: KEYS.redo });
  const invert = iconButton("invert", t("canvas.invert"), actions.invert, { keys: KEYS.invert });
  const clear = iconButton("clear", t("canvas.clear"), actions.clear, { keys: KEYS.clear });
  const file = el("input", { type: "file", accept: "image/*", hidden: true, tabIndex: -1, onchange: chosen });
  const fromFile = iconButton("maskfile", t("canvas.maskfile"), () => file.click());
  const words = createWords(actions.maskWords);
  const another = iconButton("picture", t("canvas.another"), actions.open);
  const group = (name, ...children) => el("div", { class: `canvas-group canvas-group-${name}`, role: "group", "aria-label": t(`canvas.group.${name}`) }, ...children);
  root.setAttribute("role", "toolbar");
  root.setAttribute("aria-label", t("canvas.tools"));
  root.append(
    group("layer", ...layers),
    group("tool", ...tools),
    group("brush", size.element, softness.element, colour),
    group("change", undo, redo, invert, clear, fromFile, file, words.button, words.form),
    group(
      "view",
      iconButton("minus", t("canvas.smaller"), () => actions.zoom(0.8), { keys: "-" }),
      iconButton("fit", t("canvas.fit"), actions.fit, { keys: "0" }),
      iconButton("plus", t("canvas.larger"), () => actions.zoom(1.25), { keys: "+" }),
    ),
    group("picture", iconButton("film", t("action.animate"), actions.animate), another),
  );

  /** A slider for one of the settings. */
  function range(name, toValue, toShare) {
    const input = el("input", { type: "range", class: "slide", min: "0", max: "1", step: "0.01", oninput: () => choose({ [name]: toValue(Number(input.value)) }) });
    const element = el("label", { class: "canvas-range" }, el("span", {}, t(`canvas.${name}`)), input);
    const show = (text) => {
      input.value = String(toShare(set[name]));
      input.style.setProperty("--filled", `${Number(input.value) * 100}%`);
      input.setAttribute("aria-valuetext", text);
      element.title = `${t(`canvas.${name}`)}: ${text}`;
    };
    return { element, show };
  }

  function chosen() {
    if (file.files?.[0]) actions.maskFile(file.files[0]);
    file.value = "";
  }

  /** @param {Partial<typeof set>} change */
  function choose(change) {
    Object.assign(set, change);
    memory.set("canvas.tools", set);
    draw();
    actions.changed();
  }

  let picture = 512; // the longer side of what is drawn on

  function draw() {
    layers.forEach((button, index) => button.setAttribute("aria-pressed", String(LAYERS[index] === set.layer)));
    tools.forEach((button, index) => button.setAttribute("aria-pressed", String(TOOLS[index] === set.tool)));
    size.show(t("canvas.pixels", { n: Math.max(1, Math.round(set.size * picture)) }));
    softness.show(`${Math.round(set.softness * 100)} %`);
    colour.hidden = set.layer !== "sketch";
    invert.hidden = fromFile.hidden = words.button.hidden = set.layer !== "mask";
  }

  draw();
  return {
    set,
    choose,
    /** Larger or smaller by a factor. @param {number} factor */
    resize: (factor) => choose({ size: Math.min(BROADEST, Math.max(FINEST, set.size * factor)) }),
    /** @param {{side: number, canUndo: boolean, canRedo: boolean, empty: boolean}} state */
    show({ side, canUndo, canRedo, empty }) {
      picture = side;
      [undo.disabled, redo.disabled, clear.disabled] = [!canUndo, !canRedo, empty];
      draw();
    },
  };
}

/** "#2f6fb3" -> red, green, blue. @param {string} colour */
export const rgbOf = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
