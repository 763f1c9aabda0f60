// The strip of steps, oldest left: back to any of them, and on from there.
import { pictures, sources } from "../api.js";
import { el } from "../dom.js";
import { t } from "../i18n.js";
import { roving } from "../roving.js";

/** @param {HTMLElement} root @param {{onShow: (id: number) => void}} listener */
export function createStrip(root, { onShow }) {
  const row = el("div", { class: "strip-row", role: "group", "aria-label": t("canvas.steps") });
  root.append(row);
  const walk = roving(row, ".step", { onWalk: (step) => step.click() });
  /** @type {Map<number, HTMLElement>} */
  const frames = new Map();

  function frameOf(step, index, parent) {
    const from = parent < 0 ? "" : t("canvas.step.from", { n: parent + 1 });
    const source = step.picture ? pictures.thumbnail(step.picture) : (step.thumb ?? sources.file(step.hash));
    return el(
      "button",
      {
        type: "button", class: "frame step", "data-id": String(step.id), onclick: () => onShow(step.id),
        "aria-label": t("canvas.step", { index: index + 1, from, prompt: step.prompt || t("canvas.step.start") }),
      },
      el("img", { src: source, alt: "", loading: "lazy", draggable: false }),
      el("span", { class: "step-number", "aria-hidden": "true" }, parent < 0 || parent === index - 1 ? String(index + 1) : `${index + 1} ← ${parent + 1}`),
    );
  }

  return {
    /** @param {import("./steps.js").Step[]} steps @param {{base: number, shown: number}} now */
    show(steps, { base, shown }) {
      for (const id of frames.keys()) if (!steps.some((step) => step.id === id)) (frames.get(id).remove(), frames.delete(id));
      steps.forEach((step, index) => {
        if (frames.has(step.id)) return;
        const frame = frameOf(step, index, steps.findIndex((each) => each.id === step.parent));
        frames.set(step.id, frame);
        row.append(frame);
        row.scrollLeft = row.scrollWidth;
      });
      for (const [id, frame] of frames) {
        if (id === shown) frame.setAttribute("aria-current", "step");
        else frame.removeAttribute("aria-current");
        frame.classList.toggle("is-base", id === base);
      }
      root.classList.toggle("has-pictures", steps.length > 0);
      walk.refresh();
    },
  };
}
