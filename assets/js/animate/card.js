// One keyframe on the timeline: what it shows, and how it goes on from there.
import { el, icon, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { teachCompletion } from "../completion.js";
import { teachEmphasis } from "../emphasis.js";
import { createTokens } from "../tokens.js";
import { createBox } from "../translation.js";
import { createField } from "./fields.js";

/**
 * @param {import("./draft.js").Keyframe} keyframe
 * @param {{facts: {leg: any[], own: any[]}, desk: any, change: (values: any) => void, draw: () => void, duplicate: () => void,
 *   remove: () => void, picture: (file: File|null) => void, stylesOf: any, goInstall: () => void}} tools
 */
export function createCard(keyframe, { facts, desk, change, draw, duplicate, remove, picture, stylesOf, goInstall }) {
  const id = `keyframe-${keyframe.id}`;
  let now = keyframe;
  const handle = el("button", { type: "button", class: "icon-button keyframe-handle" }, icon("grip"), el("span", { class: "figures keyframe-number" }));
  const face = el("button", { type: "button", class: "keyframe-face", onclick: () => (now.picture ? input.click() : draw()) });
  const prompt = el("textarea", { class: "box keyframe-prompt", id: `${id}-prompt`, rows: 3, lang: "", spellcheck: false, placeholder: t("animate.prompt.example"), oninput: () => change({ prompt: prompt.value }) });
  const promptLabel = el("span", { class: "sr-only" });
  const tokens = createTokens({ get values() { return { ...now, styles: desk.values.styles, model: desk.values.model }; } });
  const input = el("input", { type: "file", accept: "image/*", hidden: true, tabIndex: -1, onchange: () => (picture(input.files?.[0] ?? null), (input.value = "")) });
  const takePicture = iconButton("picture", t("animate.picture"), () => input.click());
  const asWords = el("button", { type: "button", class: "link keyframe-words", onclick: () => change({ picture: null, thumb: null }) }, t("animate.words"));
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const english = el("div");
  const box = createBox(`${id}-prompt`, english, { kept: keyframe.english, onChange: () => change({ english: box.kept }), goInstall });
  const [framesFact, ...legFacts] = facts.leg;
  const own = facts.own.map((fact) => createField(fact, { id: `${id}-${fact.name}`, empty: t(fact.name === "negative_prompt" ? "animate.none" : "animate.desk"), onChange: (value) => change({ [fact.name]: value }) }));
  const leg = legFacts.map((fact) => createField(fact, { id: `${id}-${fact.name}`, onChange: (value) => change({ [fact.name]: value }) }));
  const frames = createField(framesFact, { id: `${id}-frames`, onChange: (value) => change({ frames: value }) });
  const seconds = el("span", { class: "soft figures" });
  const way = el("div", { class: "keyframe-way" }, icon("right"), frames.element, seconds);
  const more = el("div", { class: "keyframe-more", id: `${id}-more`, hidden: true }, ...own.map((each) => each.element), ...leg.map((each) => each.element));
  const fold = el("button", { type: "button", class: "fold keyframe-fold", "aria-controls": more.id, "aria-expanded": "false", onclick: () => unfold(more.hidden) }, t("animate.more"), icon("chevron"));
  const element = el(
    "li",
    { class: "keyframe", "data-id": String(keyframe.id) },
    el("div", { class: "keyframe-head" }, handle, takePicture, iconButton("copy", t("animate.duplicate"), duplicate), iconButton("bin", t("animate.remove"), remove)),
    face,
    el("div", { class: "keyframe-text" }, el("label", { class: "keyframe-label" }, promptLabel, prompt), tokens.element, asWords, english),
    problem,
    fold,
    more,
    way,
    input,
  );
  const fields = [...own, ...leg, frames];
  teachEmphasis(prompt);
  teachCompletion(prompt, { model: () => desk.values.model, onStyle: stylesOf.put, names: stylesOf.name });

  function unfold(wanted) {
    more.hidden = !wanted;
    fold.setAttribute("aria-expanded", String(wanted));
  }

  let faceShows = "";

  /** The picture of it; drawn only when somebody wants it. */
  function drawFace(number, { address, stale, busy }) {
    const word = t(now.picture ? "animate.face.picture" : busy ? "animate.face.busy" : address ? "animate.face.again" : "animate.face.draw");
    const key = JSON.stringify([address, stale, busy, word, number]);
    if (key === faceShows) return;
    faceShows = key;
    const image = address ? el("img", { src: address, alt: "", draggable: false, onerror: () => image.remove() }) : null;
    face.replaceChildren(...(image ? [image] : []), el("span", { class: "keyframe-face-word" }, word));
    face.classList.toggle("is-stale", Boolean(stale));
    face.classList.toggle("is-busy", Boolean(busy));
    face.classList.toggle("is-blank", !address);
    face.setAttribute("aria-label", t("animate.face", { number, what: word }));
  }

  return {
    element,
    handle,
    prompt,
    /** @param {import("./draft.js").Keyframe} next @param {{number: number, count: number, goesOn: boolean, back: boolean, seconds: string, face: any, words: any}} place */
    show(next, place) {
      now = next;
      const { number, count: of } = place;
      element.setAttribute("aria-label", t("animate.keyframe", { number, of }));
      handle.lastElementChild.textContent = String(number);
      handle.setAttribute("aria-label", t("animate.handle", { number, of }));
      handle.title = t("animate.handle.help");
      promptLabel.textContent = t("animate.prompt", { number });
      if (prompt.value !== next.prompt) prompt.value = next.prompt;
      for (const field of fields) if (document.activeElement !== field.input) field.set(next[field.name]);
      way.hidden = !place.goesOn;
      way.classList.toggle("is-back", place.back);
      way.title = t(place.back ? "animate.way.back" : "animate.way");
      seconds.textContent = place.seconds;
      asWords.hidden = !next.picture;
      takePicture.setAttribute("aria-pressed", String(Boolean(next.picture)));
      drawFace(number, place.face);
      box.look(next.prompt, place.words);
      tokens.look();
    },
    /** The prompt in the words that the model reads. */
    english: () => box.english(now.prompt),
    /** What is wrong with it. @param {string} name @param {string} message */
    problem(name, message) {
      const field = fields.find((each) => each.name === name);
      if (!field) {
        problem.textContent = message;
        problem.hidden = false;
        return prompt;
      }
      if (field !== frames) unfold(true);
      field.problem(message);
      return field.input;
    },
    clear() {
      problem.hidden = true;
      for (const field of fields) field.problem();
    },
  };
}
