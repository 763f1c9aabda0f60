// Completion while typing: a list under the prompt, walked with the arrow keys.
import { wordbook } from "./wordbook.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { replaceText } from "./typing.js";

const PAUSE = 120;
const MOST_BEFORE = 280; // so many characters before the caret are looked at

/**
 * Offers completions in a box. Nothing is chosen until an arrow key or the pointer chooses: so Tab and
 * Enter do what they always do unless one asked for the list. Nothing happens while a Chinese word is
 * being put together.
 * @param {HTMLTextAreaElement} box
 * @param {{model: () => string, onStyle: (id: string) => void, names: (id: string) => string}} tools
 */
export function teachCompletion(box, { model, onStyle, names }) {
  const id = `offers-${box.closest("[id]")?.id}`;
  const list = el("ul", { class: "offers", role: "listbox", id, "aria-label": t("offers"), hidden: true });
  const said = el("span", { class: "sr-only", role: "status" });
  /** @type {any[]} */
  let offers = [];
  let active = -1;
  let timer = 0;
  let asked = 0;
  let composing = false;
  box.closest("label")?.parentElement?.append(list, said);
  box.setAttribute("aria-autocomplete", "list");
  box.autocomplete = "off";

  async function look() {
    const caret = box.selectionStart;
    if (composing || caret !== box.selectionEnd || document.activeElement !== box) return close();
    const before = box.value.slice(0, caret);
    const own = (asked += 1);
    const prefix = before.slice(-MOST_BEFORE);
    const found = prefix.trim() ? await wordbook.completions(prefix, model()).catch(() => []) : [];
    if (own !== asked || composing || box.selectionStart !== caret || document.activeElement !== box) return undefined;
    return found.length ? show(found) : close();
  }

  function show(found) {
    offers = found;
    active = -1;
    list.replaceChildren(...offers.map(row));
    list.hidden = false;
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-expanded", "true");
    box.setAttribute("aria-controls", id);
    box.removeAttribute("aria-activedescendant");
    said.textContent = t("offers.count", { n: offers.length });
  }

  function close() {
    clearTimeout(timer);
    asked += 1;
    if (list.hidden) return;
    offers = [];
    list.hidden = true;
    list.replaceChildren();
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-activedescendant"]) box.removeAttribute(name);
    said.textContent = "";
  }

  function row(offer, index) {
    const label = offer.kind === "style" ? names(offer.id) : offer.label;
    const option = el(
      "li",
      { class: "offer", role: "option", id: `${id}-${index}`, "aria-selected": "false", "data-kind": offer.kind },
      el("span", { class: "offer-text" }, label),
      el("span", { class: "offer-kind" }, t(`offers.${offer.kind}`)),
    );
    option.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
    option.addEventListener("click", () => accept(index));
    return option;
  }

  function walk(step) {
    active = (active + step + offers.length + (active < 0 && step < 0 ? 1 : 0)) % offers.length;
    [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === active)));
    list.children[active].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", `${id}-${active}`);
  }

  function accept(index) {
    const offer = offers[index];
    const caret = box.selectionStart;
    close();
    replaceText(box, caret - offer.replaces, caret, offer.text);
    close(); // typing it has asked again
    if (offer.kind === "style") onStyle(offer.id);
  }

  function key(event) {
    if (list.hidden || event.isComposing || composing || event.ctrlKey || event.metaKey || event.altKey) return;
    const plain = !event.shiftKey;
    if (plain && event.key === "ArrowDown") take(event, () => walk(1));
    else if (plain && event.key === "ArrowUp") take(event, () => walk(-1));
    else if (plain && active >= 0 && (event.key === "Enter" || event.key === "Tab")) take(event, () => accept(active));
    else if (event.key === "Escape") take(event, close);
    else if (["ArrowLeft", "ArrowRight", "Home", "End", "Enter", "Tab"].includes(event.key)) close();
  }

  box.addEventListener("keydown", key, true);
  // What is typed is sent: on the document, as the shortcut stops the key there.
  document.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && close(), true);
  box.addEventListener("compositionstart", () => ((composing = true), close()));
  box.addEventListener("compositionend", () => ((composing = false), later()));
  box.addEventListener("input", (event) => !composing && !event.isComposing && later());
  box.addEventListener("blur", close);
  box.addEventListener("pointerdown", close);

  function later() {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  }

  return { close };
}

function take(event, run) {
  event.preventDefault();
  event.stopPropagation();
  run();
}
