// What holds for the whole animation, on the desk: one control for each field that the server names.
import { base64, sources } from "../api.js";
import { el, icon, memory } from "../dom.js";
import { t } from "../i18n.js";
import { createField } from "./fields.js";

/** What most people look for; the rest is folded away. */
const FIRST = [
  "method", "prompt_strength", "strength", "in_between", "in_between_by", "even_pacing", "loop", "ping_pong", "fps", "format", "sound", "sound_start", "follow_sound",
];
const FOLD = "animate.film.more";

/**
 * @param {HTMLElement} root @param {import("./fields.js").Field[]} facts
 * @param {{draft: any, notice: any}} tools
 */
export function createSettings(root, facts, { draft, notice }) {
  const fields = new Map(facts.map((fact) => [fact.name, createField(fact, { id: `film-${fact.name}`, keep: keepSound, onChange: (value) => change(fact.name, value) })]));
  const first = FIRST.filter((name) => fields.has(name));
  const rest = [...fields.keys()].filter((name) => !first.includes(name));
  const elements = (names) => names.map((name) => fields.get(name).element);
  const more = el("div", { id: "film-more" }, ...elements(rest));
  const fold = el("button", { type: "button", class: "fold", "aria-controls": more.id, onclick: () => unfold(more.hidden) }, t("animate.film.more"), icon("chevron"));
  root.classList.add("film-settings");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", t("animate.film"));
  root.replaceChildren(...elements(first), fold, more);
  unfold(memory.get(FOLD) ?? false);

  function unfold(wanted) {
    more.hidden = !wanted;
    fold.setAttribute("aria-expanded", String(wanted));
    memory.set(FOLD, wanted);
  }

  /** A film loops, or plays back and forth. */
  function change(name, value) {
    const other = { loop: "ping_pong", ping_pong: "loop" }[name];
    draft.setFilm({ [name]: value, ...(other && value ? { [other]: false } : {}) });
  }

  /** The hash of a sound, which is kept from now on; null where the server has no use for it. @param {File} file */
  async function keepSound(file) {
    try {
      return (await sources.keep({ sound: await base64(file) })).hash;
    } catch (error) {
      notice.show({ title: t("animate.sound.refused", { name: file.name }), text: error.message || t("lost.text") });
      return null;
    }
  }

  return {
    /** As the draft has it; what does not count now is not there. */
    draw() {
      const { film, keyframes } = draft;
      const pictures = keyframes.some(({ picture }) => picture);
      const sounds = Boolean(film.sound);
      const counts = {
        prompt_strength: film.method === "anchored", strength: pictures, in_between_by: film.in_between > 0, sound_start: sounds, follow_sound: sounds,
      };
      for (const [name, field] of fields) {
        field.element.hidden = counts[name] === false;
        if (document.activeElement !== field.input) field.set(film[name]);
      }
    },
    has: (name) => fields.has(name),
    /** What is wrong with one. @param {string} name @param {string} message */
    problem(name, message) {
      if (rest.includes(name)) unfold(true);
      fields.get(name).problem(message);
      return fields.get(name).input;
    },
    clear: () => fields.forEach((field) => field.problem()),
  };
}
