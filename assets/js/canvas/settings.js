// The canvas's own settings on the desk: which of them count now, and the frame's sides in numbers.
import { el, whenThere } from "../dom.js";
import { t } from "../i18n.js";
import { SIDES } from "./frame.js";
import { isSized, stepsRun } from "./orders.js";

/** @param {{desk: any, work: any}} studio */
export function createSettings({ desk, work }) {
  const note = el("p", { class: "steps-run soft figures", role: "status" });
  whenThere("#field-strength").then((field) => field.append(note));
  let masked = null;
  let writing = 0; // what the desk holds meanwhile is not news

  /** What the desk holds is what the canvas shows. */
  function follow(values) {
    const { num_inference_steps: steps, strength } = values;
    note.textContent = t("canvas.run", { run: stepsRun(steps, strength), steps });
    document.documentElement.dataset.sized = isSized(values, masked) ? "yes" : "no";
    document.documentElement.dataset.area = values.inpaint_area;
    const { base } = work.steps;
    if (!base || writing) return;
    const margins = Object.fromEntries(SIDES.map((side) => [side, clamped(values[`outpaint_${side}`])]));
    if (SIDES.every((side) => margins[side] === base.margins[side])) return;
    work.steps.change(base.id, { margins });
    work.open().catch(() => {});
  }

  /** The frame's sides onto the desk. */
  async function write(margins) {
    writing += 1;
    await desk.write(Object.fromEntries(SIDES.map((side) => [`outpaint_${side}`, margins[side]])));
    writing -= 1;
  }

  desk.watch(follow);
  let shown = null;

  return {
    /** The frame was drawn to another size by hand. */
    write,
    /** Another step, or another mask. */
    look() {
      const has = Boolean(work.baseSheet?.boundsOf("mask"));
      if (has !== masked) {
        masked = has;
        document.documentElement.dataset.masked = has ? "yes" : "no";
        follow(desk.values);
      }
      const { base } = work.steps;
      if (base.id !== shown) write(base.margins);
      shown = base.id;
    },
  };
}

const clamped = (value) => Math.min(1024, Math.max(0, Math.round(Number(value) || 0)));
