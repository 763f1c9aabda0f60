// How long the prompts are, in small figures: tokens of each chunk, styles counted in.
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { wordbook } from "./wordbook.js";

const PAUSE = 250;
const NOT_YET = 2000; // so often it is asked while the model is not ready

/** @param {any} desk */
export function createTokens(desk) {
  const element = el("span", { class: "figures token-figures" });
  let timer = 0;
  let asked = "";

  async function ask() {
    const { prompt, negative_prompt, styles, model } = desk.values;
    const words = { prompt: prompt ?? "", negative_prompt: negative_prompt ?? "", styles, model };
    const key = JSON.stringify(words);
    if (key === asked) return;
    asked = key;
    const found = await wordbook.count(words).catch(() => ({ length: null }));
    if (key !== asked) return;
    show(found, words);
    if (found.prompt === null) {
      asked = "";
      look(NOT_YET);
    }
  }

  function show({ prompt, negative_prompt: negative, length }, words) {
    const positive = length && words.prompt ? chunks(prompt, length) : "";
    const against = length && words.negative_prompt ? chunks(negative, length) : "";
    element.textContent = [positive, against && `− ${against}`].filter(Boolean).join("  ");
    element.title = element.textContent ? t("tokens", { length }) : "";
  }

  function look(pause = PAUSE) {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  return { element, look: () => look() };
}

/** Full chunks and the last one: "75 · 12/75". */
const chunks = (sizes, length) => [...sizes.slice(0, -1), `${sizes.at(-1)}/${length}`].join(" · ");
