// The keys, and the sheet that lists them.
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const KEYS = [
  ["generate", ["Ctrl", "Enter"]],
  ["stop", ["Esc"]],
  ["weight", ["Ctrl", "↑", "↓"]],
  ["walk", ["←", "→"]],
  ["favourite", ["F"]],
  ["bin", ["Del"]],
  ["rooms", ["1", "…", "5"]],
  ["play", ["Space"]],
  ["canvas", ["B", "E", "H"]],
  ["brush", ["[", "]"]],
  ["undo", ["Ctrl", "Z", "Y"]],
  ["search", ["/"]],
  ["help", ["?"]],
];

/**
 * @param {{stage: () => any, desk: any, rooms: any, actions: any, lightbox: any, gallery: any, models: any, tabs: string[]}} tools
 */
export function createShortcuts({ stage, desk, rooms, actions, lightbox, gallery, models, tabs }) {
  const sheet = helpSheet();

  function press(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return take(event, desk.generate);
    if (event.key === "Escape") return escape(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return undefined;
    if (document.querySelector("dialog[open]")) return undefined;
    if (event.key === "?") return take(event, () => sheet.showModal());
    if (event.key === "/") return take(event, search);
    if (tabs[Number(event.key) - 1]) return take(event, () => rooms.go(tabs[Number(event.key) - 1]));
    if (event.key === " " && rooms.current === "animate" && isFree(event.target)) return take(event, stage().toggle);
    const picture = rooms.current === "create" ? stage().current : null;
    if (picture && event.key.toLowerCase() === "f") return take(event, () => actions.favourite(picture));
    if (picture && event.key === "Delete") return take(event, () => actions.bin([picture]));
    return undefined;
  }

  /** The search of the room one is in, else the gallery's. */
  function search() {
    if (rooms.current === "models") {
      models.showShelf();
      models.search.focus();
    } else {
      rooms.go("gallery");
      setTimeout(() => gallery.search.focus(), 50);
    }
  }

  /** Closes what lies on top; with nothing on top, stops the job. */
  function escape(event) {
    if (document.querySelector("dialog[open], :popover-open")) return; // the browser closes it
    if (event.target.closest?.('[role="combobox"][aria-expanded="true"]')) return;
    if (stage().works) take(event, stage().stop);
  }

  // Before Gradio's own handlers: Ctrl+Enter in a text box must not start a new line.
  document.addEventListener("keydown", press, true);
  return { help: () => sheet.showModal(), lightbox };
}

function take(event, run) {
  event.preventDefault();
  event.stopPropagation();
  run();
}

const isTyping = (target) => Boolean(target.closest?.("textarea, select, input:not([type=radio], [type=range], [type=checkbox]), [contenteditable]"));

/** Does Space do nothing of its own here? */
const isFree = (target) => !target.closest?.("button, a, select, input:not(.scrub)");

function helpSheet() {
  const row = ([name, keys]) => [el("dt", {}, ...keys.map((key) => el("kbd", {}, key))), el("dd", {}, t(`keys.${name}`))];
  const sheet = el(
    "dialog",
    { class: "sheet", "aria-label": t("shortcuts"), onclick: (event) => event.target === sheet && sheet.close() },
    el("h2", {}, t("shortcuts")),
    el("dl", { class: "keys" }, ...KEYS.flatMap(row)),
    iconButton("close", t("large.close"), () => sheet.close(), { class: "sheet-close" }),
  );
  document.body.append(sheet);
  return sheet;
}
