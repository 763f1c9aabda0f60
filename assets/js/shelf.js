// The shelf: every model there is, by kind, with a search.
import { el, iconButton } from "./dom.js";
import { count, t } from "./i18n.js";
import { createRow } from "./shelfrow.js";

const KINDS = ["checkpoint", "lora", "vae", "embedding", "upscaler"];
const TYPING = 120;

/**
 * @param {{folder: string, note: HTMLElement, desk: any, onUse: (name: string) => void,
 *   onTell: (what: string, name: string) => Promise<void>, onRescan: () => Promise<void>}} tools
 */
export function createShelf({ folder, note, desk, onUse, onTell, onRescan }) {
  const search = el("input", { type: "search", class: "search", placeholder: t("models.search"), "aria-label": t("models.search") });
  const total = el("span", { class: "soft figures", role: "status" });
  const again = iconButton("restore", t("models.rescan"), rescan, { text: true });
  const groups = el("div", { class: "shelf-groups" });
  const element = el(
    "section",
    { class: "shelf", "aria-label": t("models.view.shelf") },
    el("div", { class: "shelf-head" }, search, total, again),
    note,
    groups,
    el("p", { class: "shelf-folder soft" }, t("models.how"), " ", el("code", {}, folder)),
  );
  const open = new Set();
  let list = [];
  let facts = { pictures: new Map(), resident: new Map(), can: new Set() };

  async function rescan() {
    again.disabled = true;
    await onRescan();
    again.disabled = false;
  }

  function fits(model) {
    const words = search.value.trim().toLowerCase().split(/\s+/);
    const text = [model.name, model.family, model.where, t(`kind.${model.kind}`), model.sha256].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  function draw() {
    const key = document.activeElement?.dataset?.key;
    const shown = list.filter(fits);
    total.textContent = list.length ? t("models.count", { n: shown.length === 1 ? 1 : count(shown.length) }) : "";
    const rows = { ...facts, desk, open, onUse, onTell };
    groups.replaceChildren(...KINDS.map((kind) => group(kind, shown.filter((each) => each.kind === kind), rows)).filter(Boolean));
    if (!shown.length && list.length) groups.append(nothing(t("nothing.search"), t("models.nothing.search")));
    if (key) groups.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  function group(kind, found, rows) {
    if (!found.length) return null;
    const title = el("h2", { class: "shelf-title" }, t(`kinds.${kind}`), el("span", { class: "soft figures" }, count(found.length)));
    const items = found.map((model) => createRow(model, rows));
    return el("section", { class: "shelf-group" }, title, el("ul", { class: "models" }, ...items));
  }

  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(draw, TYPING);
  });

  return {
    element,
    /** @param {any[]} models @param {{pictures: Map<string, number>, resident: Map<string, any>, can: Set<string>}} known */
    show(models, known) {
      [list, facts] = [models, known];
      draw();
    },
    /** The list could not be had. @param {string} why */
    fail(why) {
      groups.replaceChildren(nothing(t("lost.title"), why));
    },
  };
}

const nothing = (title, text) =>
  el("div", { class: "nothing" }, el("p", { class: "nothing-title" }, title), el("p", { class: "soft" }, text));
