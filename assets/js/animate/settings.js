// What holds for the whole animation, on the desk: one control for each field that the server names.
import { el, icon, memory } from "../dom.js";
import { t } from "../i18n.js";
import { createField } from "./fields.js";

/** What most people look for; the rest is folded away. */
const FIRST = ["method", "prompt_strength", "strength", "in_between", "even_pacing", "loop", "ping_pong", "fps", "format"];
const FOLD = "animate.film.more";

/**
 * @param {HTMLElement} root @param {import("./fields.js").Field[]} facts
 * @param {{draft: any, onChange: () => void}} tools
 */
export function createSettings(root, facts, { draft }) {
  const fields = new Map(facts.map((fact) => [fact.name, createField(fact, { id: `film-${fact.name}`, onChange: (value) => change(fact.name, value) })]));
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

  return {
    /** As the draft has it; what does not count now is not there. */
    draw() {
      const { film, keyframes } = draft;
      const pictures = keyframes.some(({ picture }) => picture);
      const counts = { prompt_strength: film.method === "anchored", strength: pictures };
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
