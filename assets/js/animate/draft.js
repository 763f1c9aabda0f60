// The animation that is being written: its keyframes and what holds for all of them. Kept in the browser.
import { memory } from "../dom.js";
import { wholeKeyframes } from "./moments.js";

const KEY = "animate";
const PAUSE = 150;

/**
 * `picture`: the hash of a picture that is shown as it is. `thumb`: what it looks like, and of which words that was
 * drawn; `drawing`: the job that draws it, `of` these words. A null is what stands on the desk.
 * @typedef {{id: number, prompt: string, negative_prompt: string, seed: number|null, guidance_scale: number|null,
 *   picture: string|null, thumb: {address: string, of: string, picture: string|null}|null, drawing: string|null, of: string|null,
 *   english: any, frames: number, hold: number}} Keyframe
 */

/**
 * @param {{leg: import("./fields.js").Field[], film: import("./fields.js").Field[], most: number}} facts
 * @param {() => void} onChange told after every change
 */
export function createDraft({ leg, film, most }, onChange) {
  const usual = (fields) => Object.fromEntries(fields.map((field) => [field.name, field.usual]));
  const kept = memory.get(KEY) ?? {};
  let last = 0;
  /** @type {Keyframe[]} */
  let keyframes = [];
  let values = { ...usual(film), ...kept.film };
  /** The animation that is looked at. @type {string|null} */
  let shown = kept.shown ?? null;
  let saving = 0;

  function made(own = {}) {
    last += 1;
    const blank = { prompt: "", negative_prompt: "", seed: null, guidance_scale: null, picture: null, thumb: null, drawing: null, of: null, english: null };
    return { ...blank, ...usual(leg), ...own, id: last };
  }

  function save() {
    saving = 0;
    memory.set(KEY, { keyframes, film: values, shown });
  }

  function changed() {
    clearTimeout(saving);
    saving = setTimeout(save, PAUSE);
    onChange();
  }

  const placeOf = (id) => keyframes.findIndex((each) => each.id === id);
  const isBlank = ({ prompt, picture }) => !prompt.trim() && !picture;

  addEventListener("pagehide", () => saving && save());
  keyframes = (Array.isArray(kept.keyframes) ? kept.keyframes : []).map(made);
  while (keyframes.length < 2) keyframes.push(made());

  return {
    isBlank,
    /** Something that is not kept has changed. */
    touch: onChange,
    get keyframes() {
      return keyframes;
    },
    get film() {
      return values;
    },
    get shown() {
      return shown;
    },
    set shown(id) {
      shown = id;
      changed();
    },
    get isFull() {
      return keyframes.length >= most;
    },
    /** Has nothing been written yet? */
    get isEmpty() {
      return keyframes.every(isBlank);
    },
    get: (id) => keyframes[placeOf(id)] ?? null,
    /** A keyframe at a place, at the end without one. @param {Partial<Keyframe>} own @returns {Keyframe|null} */
    add(own = {}, place = keyframes.length) {
      if (keyframes.length >= most) return null;
      const added = made(own);
      keyframes = keyframes.toSpliced(place, 0, added);
      changed();
      return added;
    },
    /** The first that is blank says this; without one, a new first keyframe does. @param {Partial<Keyframe>} own */
    fill(own) {
      const blank = keyframes.find(isBlank);
      if (!blank) return this.add(own, 0);
      this.change(blank.id, own);
      return blank;
    },
    /** The same again behind it. @param {number} id */
    duplicate(id) {
      const { drawing, of, ...same } = structuredClone(keyframes[placeOf(id)]);
      return this.add(same, placeOf(id) + 1);
    },
    /** @param {number} id @param {number} place where it stands afterwards */
    move(id, place) {
      const to = Math.max(0, Math.min(keyframes.length - 1, place));
      const from = placeOf(id);
      if (from < 0 || from === to) return;
      keyframes = keyframes.toSpliced(from, 1).toSpliced(to, 0, keyframes[from]);
      changed();
    },
    /** With two keyframes left, it becomes blank. @param {number} id @returns {() => void} brings it back */
    remove(id) {
      const before = keyframes;
      const without = keyframes.filter((each) => each.id !== id);
      keyframes = without.length < 2 ? keyframes.map((each) => (each.id === id ? made() : each)) : without;
      changed();
      return () => ((keyframes = before), changed());
    },
    /** @param {number} id @param {Partial<Keyframe>} change */
    change(id, change) {
      keyframes = keyframes.map((each) => (each.id === id ? { ...each, ...change } : each));
      changed();
    },
    /** @param {Record<string, any>} change */
    setFilm(change) {
      values = { ...values, ...change };
      changed();
    },
    /**
     * All of it from a recipe, as it is handed in. @param {Record<string, any>} recipe
     * @returns {() => void} brings back what was there
     */
    take(recipe) {
      const before = [keyframes, values];
      const names = ["prompt", "negative_prompt", "seed", "guidance_scale", ...leg.map((field) => field.name)];
      const own = (each) => Object.fromEntries(names.filter((name) => each[name] !== undefined).map((name) => [name, each[name]]));
      const differ = (name, list) => new Set(list.map((each) => each[name])).size > 1;
      const list = wholeKeyframes(recipe);
      keyframes = list.slice(0, most).map((each) => {
        const said = made({ ...own(each), picture: each.init_image ?? each.picture ?? null });
        for (const name of ["seed", "guidance_scale"]) if (!differ(name, list)) said[name] = null; // it is on the desk
        return said;
      });
      while (keyframes.length < 2) keyframes.push(made());
      values = { ...usual(film), ...Object.fromEntries(film.filter(({ name }) => recipe[name] !== undefined).map(({ name }) => [name, recipe[name]])) };
      changed();
      return () => (([keyframes, values] = before), changed());
    },
  };
}
