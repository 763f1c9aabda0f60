// A mask by words: what is to be painted over is named, and found by a model.
import { call } from "../api.js";
import { el, iconButton } from "../dom.js";
import { t } from "../i18n.js";

/** @param {(words: string) => Promise<void>} find throws a sentence where there is nothing to be found */
export function createWords(find) {
  const input = el("input", { type: "text", class: "box", maxLength: 200, placeholder: t("canvas.words.example"), "aria-label": t("canvas.words.label") });
  const submit = el("button", { type: "submit", class: "fill-button" }, t("canvas.words.find"));
  const note = el("p", { class: "soft", role: "status" }, t("canvas.words.help"));
  const form = el("form", { class: "canvas-words", popover: "auto", onsubmit: ask }, el("div", {}, input, submit), note);
  const button = iconButton("words", t("canvas.words"), () => form.togglePopover());
  button.setAttribute("aria-haspopup", "dialog");
  let busy = false;

  async function ask(event) {
    event.preventDefault();
    const words = input.value.trim();
    if (!words || busy) return input.focus();
    busy = submit.disabled = true;
    note.textContent = t("canvas.words.busy");
    try {
      await find(words);
      note.textContent = t("canvas.words.help");
      form.hidePopover();
    } catch (error) {
      note.textContent = error.message || t("lost.text");
    } finally {
      busy = submit.disabled = false;
    }
    return undefined;
  }

  form.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const at = button.getBoundingClientRect();
    form.style.top = `${at.bottom + 6}px`;
    form.style.left = `${Math.max(8, Math.min(at.left, innerWidth - form.offsetWidth - 8))}px`;
    input.focus();
  });
  return { button, form };
}

/**
 * The hash of the mask of what words name in a picture.
 * @param {{hash: string|null, picture: string|null}} step @param {string} words @param {string} model
 */
export async function maskByWords(step, words, model) {
  const where = step.picture ? { picture: step.picture } : { source: step.hash };
  return (await call("POST", "masks", { body: { ...where, words, model } })).hash;
}
