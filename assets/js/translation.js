// Chinese words for a model that reads English only: their English, shown under them and editable.
import { call } from "./api.js";
import { el, memory, whenThere } from "./dom.js";
import { t } from "./i18n.js";

const FIELDS = ["prompt", "negative_prompt"];
const CHINESE = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/;
const PAUSE = 600; // milliseconds without a keystroke before the words are translated

/**
 * @param {any} desk
 * @param {{models: Map<string, any>, translators: Map<string, any>, goInstall: () => void}} tools
 */
export async function createTranslation(desk, { models, translators, goInstall }) {
  const places = await Promise.all(FIELDS.map((name) => whenThere(`#studio-english-${name}`)));
  const kept = memory.get("english") ?? {};
  const boxes = FIELDS.map((name, index) => createBox(name, places[index], { kept: kept[name], onChange: keep, goInstall }));

  function keep() {
    memory.set("english", Object.fromEntries(boxes.map((box) => [box.name, box.kept])));
  }

  /** What the desk holds, against what each box shows. */
  function look() {
    const { model } = desk.values;
    for (const box of boxes) box.look(desk.values[box.name] ?? "", wordsFor(model, { models, translators }));
  }

  desk.listeners.wording = look;
  /** What is ordered, in the words the model reads; it waits for a translation that is on its way. */
  desk.listeners.english = async (order) => {
    look();
    const words = await Promise.all(boxes.map(async (box) => [box.name, await box.english(order[box.name] ?? "")]));
    return { ...order, ...Object.fromEntries(words) };
  };
  look();
  return { look };
}

/** Does a model read English only, and is there anything here that translates? @param {any} installed */
export function wordsFor(model, { models, translators }) {
  const english = !(models.get(model)?.languages ?? ["zh"]).includes("zh");
  return { model, english, able: [...translators.values()].some((each) => !each.problem) };
}

/**
 * One field's English. `kept`: the last words and their English, edited or not.
 * @param {string} name @param {HTMLElement} place @param {{kept?: any, onChange: () => void, goInstall: () => void}} tools
 */
export function createBox(name, place, { kept, onChange, goInstall }) {
  let { source = "", english = "" } = kept ?? {};
  let shown = { model: "", english: false, able: false };
  let timer = 0;
  let asked = null;
  const id = `english-${name}`;
  const label = el("label", { htmlFor: id, class: "english-label" });
  const area = el("textarea", { id, class: "box english-words", lang: "en", spellcheck: false, rows: 2, oninput: edited });
  const again = el("button", { type: "button", class: "link", onclick: () => ask(source, true) }, t("english.again"));
  const note = el("p", { class: "word-note", role: "status" });
  const head = el("div", { class: "english-head" }, label, again);
  const element = el("div", { class: "english", hidden: true }, head, area, note);
  place.replaceChildren(element);

  function edited() {
    english = area.value;
    onChange();
  }

  /** Show what there is to show; `text` says what stands under it. */
  function draw(text = "", link = null) {
    head.hidden = area.hidden = !shown.able;
    label.textContent = t("english.label", { model: shown.model });
    if (area.value !== english) area.value = english;
    note.replaceChildren(text, link ?? "");
    note.hidden = !text;
  }

  /** The English of `text`, asked of the server unless it is known. */
  function ask(text, anew = false) {
    clearTimeout(timer);
    if (!anew && text === source && english) return Promise.resolve();
    if (!anew && asked?.text === text) return asked.answer;
    draw(t("english.busy"));
    const answer = call("POST", "translate", { body: { text } })
      .then(({ text: translated }) => {
        if (asked?.text !== text) return;
        [source, english] = [text, translated];
        onChange();
        draw();
      })
      .catch((error) => asked?.text === text && draw(error.message || t("lost.title")))
      .finally(() => asked?.answer === answer && (asked = null));
    asked = { text, answer };
    return answer;
  }

  const wanted = (text) => shown.english && CHINESE.test(text);

  return {
    name,
    get kept() {
      return { source, english };
    },
    look(text, now) {
      shown = now;
      element.hidden = !wanted(text);
      if (element.hidden) return clearTimeout(timer);
      if (!shown.able) {
        const link = el("button", { type: "button", class: "link", onclick: goInstall }, t("english.get"));
        return draw(`${t("english.missing", { model: shown.model })} `, link);
      }
      if (text === source && english) return draw();
      if (asked?.text === text) return undefined;
      draw(t("english.busy"));
      clearTimeout(timer);
      timer = setTimeout(() => ask(text), PAUSE);
      return undefined;
    },
    /** `text` as it is to be painted. Where there is no English for it, it is painted as it stands. */
    async english(text) {
      if (!wanted(text) || !shown.able) return text;
      await ask(text);
      return text === source && english ? english : text;
    },
  };
}
