// What is worked on: the steps, what is drawn over each, and the draft that keeps both.
import { pictures, sources } from "../api.js";
import { createDraft } from "./draft.js";
import { loadLevels } from "./levels.js";
import { createSheet } from "./sheet.js";
import { NOTHING_ADDED, createSteps } from "./steps.js";

const SHEETS = 4; // with their undo; what is drawn on others comes back from the draft

/** @param {{onChange: () => void}} listener told of every change that can be seen */
export function createWork({ onChange }) {
  const draft = createDraft();
  const steps = createSteps(draft.steps());
  /** @type {Map<number, import("./sheet.js").Sheet>} */
  const sheets = new Map();
  /** Roots that are worked on together. @type {number[]} */
  let batch = draft.steps().batch ?? [];
  let picture = null; // the levels of what is seen
  let before = null; // and of what it was made from
  let opening = 0;

  const urlOf = (step) => (step.hash ? sources.file(step.hash) : pictures.file(step.picture));

  function save() {
    draft.keepSteps({ ...steps.kept(), batch });
  }

  /** What is drawn over a step, with what an earlier visit left there. */
  async function sheetOf(step, { width, height }) {
    let sheet = sheets.get(step.id);
    if (!sheet) {
      sheet = createSheet(width, height, () => {
        draft.keepDrawn(step.id, sheet.kept);
        onChange();
      });
      const kept = await draft.drawn(step.id);
      if (kept) sheet.restore(kept);
    }
    sheets.delete(step.id);
    sheets.set(step.id, sheet);
    for (const id of sheets.keys()) if (sheets.size > SHEETS && id !== step.id) sheets.delete(id);
    return sheet;
  }

  /** Brings the step that is seen onto the easel. Throws when its picture is gone. */
  async function open() {
    const turn = ++opening;
    const { shown, base, isTry } = steps;
    save();
    if (!shown) {
      [picture, before] = [null, null];
      return onChange();
    }
    const [next, from] = await Promise.all([loadLevels(urlOf(shown)), isTry && shown.at ? loadLevels(urlOf(base)).catch(() => null) : null]);
    if (turn !== opening) return undefined;
    await sheetOf(shown, next);
    if (turn !== opening) return undefined;
    picture = { ...next, id: shown.id };
    before = from && { levels: from, at: shown.at };
    return onChange();
  }

  return {
    steps,
    open,
    save,
    get picture() {
      return picture;
    },
    get before() {
      return before;
    },
    /** The picture that is seen, and what is to be added to its sides. */
    get extent() {
      const { left, top, right, bottom } = steps.isTry ? NOTHING_ADDED : steps.base.margins;
      return { left: -left, top: -top, right: picture.width + right, bottom: picture.height + bottom };
    },
    /** What is drawn over the step that is worked on; null while a try is seen. */
    get sheet() {
      return steps.isTry || picture?.id !== steps.base?.id ? null : (sheets.get(steps.base?.id) ?? null);
    },
    /** The same while a try is seen. */
    get baseSheet() {
      return sheets.get(steps.base?.id) ?? null;
    },
    get batch() {
      return batch.map(steps.get).filter(Boolean);
    },
    set batch(list) {
      batch = list.map((step) => step.id);
      save();
    },
    /** A picture that came in is worked on. @param {Partial<import("./steps.js").Step>} step */
    begin(step) {
      const added = steps.add(step);
      steps.workOn(added.id);
      return added;
    },
    /** Work goes on from the try that is seen. */
    adopt() {
      steps.workOn(steps.shown.id);
      before = null;
      save();
      onChange();
    },
    /** The hash of a step's picture, which is kept from now on. @param {import("./steps.js").Step} step */
    async hashOf(step) {
      if (step.hash) return step.hash;
      const { hash } = await sources.keep({ image: step.picture });
      steps.change(step.id, { hash });
      save();
      return hash;
    },
    clear() {
      steps.clear();
      sheets.clear();
      batch = [];
      return draft.clear();
    },
  };
}
