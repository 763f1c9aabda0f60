// The steps of a work: pictures that came in, and what was made of each. A tree, kept by the draft.

/**
 * `hash`: the picture among the kept ones, once it is known; `picture`: its id in the gallery, when it
 * was made here. `parent`: the id of the step it was made from, `at`: where that one lies in it, null
 * where it was brought to another size. `margins`: what is to be added to it.
 * @typedef {{left: number, top: number, right: number, bottom: number}} Margins
 * @typedef {{id: number, hash: string|null, picture: string|null, parent: number|null, at: number[]|null,
 *   prompt: string, margins: Margins}} Step
 */

const MOST = 100;
export const NOTHING_ADDED = Object.freeze({ left: 0, top: 0, right: 0, bottom: 0 });

/** @param {{steps?: Step[], base?: number|null, shown?: number|null, pending?: Record<string, number>}} [kept] */
export function createSteps(kept = {}) {
  /** @type {Step[]} */
  let steps = kept.steps ?? [];
  let base = kept.base ?? null;
  let shown = kept.shown ?? base;
  /** Jobs that are not done yet, and the step each works on. @type {Map<string, number>} */
  const pending = new Map(Object.entries(kept.pending ?? {}));

  const get = (id) => steps.find((step) => step.id === id) ?? null;

  /** The oldest give way, but for those that are looked at. */
  function forget() {
    while (steps.length > MOST) {
      const old = steps.find((step) => step.id !== base && step.id !== shown);
      steps = steps.filter((step) => step !== old);
    }
  }

  return {
    get,
    pending,
    get all() {
      return steps;
    },
    /** The step that is worked on. */
    get base() {
      return get(base);
    },
    /** The step that is seen: the one that is worked on, or a try of it. */
    get shown() {
      return get(shown);
    },
    get isTry() {
      return shown !== base;
    },
    /** @param {Partial<Step>} step @returns {Step} */
    add(step) {
      const id = 1 + steps.reduce((most, each) => Math.max(most, each.id), 0);
      const added = { hash: null, picture: null, parent: null, at: null, prompt: "", margins: NOTHING_ADDED, ...step, id };
      steps = [...steps, added];
      forget();
      return added;
    },
    /** @param {number} id @param {Partial<Step>} change */
    change(id, change) {
      steps = steps.map((step) => (step.id === id ? { ...step, ...change } : step));
    },
    /** Work goes on from here. @param {number} id */
    workOn(id) {
      base = shown = id;
    },
    /** A try of what is worked on is seen; any other step is worked on. @param {number} id */
    show(id) {
      if (get(id)?.parent !== base) base = id;
      shown = id;
    },
    clear() {
      steps = [];
      base = shown = null;
      pending.clear();
    },
    kept: () => ({ steps, base, shown, pending: Object.fromEntries(pending) }),
  };
}
