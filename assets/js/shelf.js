// The shelf: every model there is, by kind, with a search; what cannot be used stands at its end.
import { el, iconButton } from "./dom.js";
import { count, t } from "./i18n.js";
import { createRow } from "./shelfrow.js";

const GROUPS = ["checkpoint", "lora", "vae", "embedding", "upscaler", "translator", "problem"];
const TYPING = 120;

/**
 * @param {{folder: string, folders: string[], note: HTMLElement, desk: any, onUse: (name: string) => void,
 *   onTell: (what: string, name: string) => Promise<void>, onRescan: () => Promise<void>, onMore: () => void}} tools
 */
export function createShelf({ folder, folders, note, desk, onUse, onTell, onRescan, onMore }) {
  const search = el("input", { type: "search", class: "search", placeholder: t("models.search"), "aria-label": t("models.search") });
  const kind = el("select", { class: "box", "aria-label": t("models.kind"), onchange: draw });
  const total = el("span", { class: "soft figures", role: "status" });
  const again = iconButton("restore", t("models.rescan"), rescan, { text: true });
  const groups = el("div", { class: "shelf-groups" });
  const element = el(
    "section",
    { class: "shelf", "aria-label": t("models.view.shelf") },
    el("div", { class: "shelf-head" }, search, kind, total, again),
    note,
    groups,
    el("p", { class: "shelf-folder soft" }, t("models.how"), " ", el("code", {}, folder)),
    folders?.length ? el("p", { class: "shelf-folder soft" }, t("models.folders"), " ", ...folders.flatMap((each) => [el("code", {}, each), " "])) : null,
  );
  const open = new Set();
  let list = [];
  let facts = { pictures: new Map(), resident: new Map(), can: new Set(), busy: new Map() };

  async function rescan() {
    again.disabled = true;
    await onRescan();
    again.disabled = false;
  }

  const groupOf = (model) => (model.problem ? "problem" : model.kind);

  function fits(model) {
    const words = search.value.trim().toLowerCase().split(/\s+/);
    const text = [model.name, model.family, model.where, t(`kind.${model.kind}`), model.sha256, model.problem].join(" ").toLowerCase();
    return words.every((word) => text.includes(word)) && (!kind.value || groupOf(model) === kind.value);
  }

  /** The kinds that there are, each with how many; what was chosen stays so while there are any. */
  function drawKinds() {
    const chosen = kind.value;
    const there = GROUPS.map((group) => [group, list.filter((each) => groupOf(each) === group).length]).filter(([, n]) => n);
    const choice = (value, text) => el("option", { value }, text);
    kind.replaceChildren(
      choice("", t("models.kind.all")),
      ...there.map(([group, n]) => choice(group, t("models.kind.of", { kind: t(`kinds.${group}`), n: count(n) }))),
    );
    kind.value = there.some(([group]) => group === chosen) ? chosen : "";
    kind.hidden = there.length < 2;
  }

  function draw() {
    const key = document.activeElement?.dataset?.key;
    const shown = list.filter(fits);
    total.textContent = list.length ? t("models.count", { n: shown.length === 1 ? 1 : count(shown.length) }) : "";
    const rows = { ...facts, desk, open, onUse, onTell };
    groups.replaceChildren(...GROUPS.map((each) => group(each, shown.filter((model) => groupOf(model) === each), rows)).filter(Boolean));
    if (!shown.length && list.length) groups.append(nothing(t("nothing.search"), t("models.nothing.search")));
    else if (shown.length === list.length && list.filter((each) => groupOf(each) === "checkpoint").length < 2) groups.append(invitation(onMore));
    if (key) groups.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  function group(name, found, rows) {
    if (!found.length) return null;
    const title = el("h2", { class: "shelf-title" }, t(`kinds.${name}`), el("span", { class: "soft figures" }, count(found.length)));
    return el("section", { class: "shelf-group" }, title, el("ul", { class: "models" }, ...found.map((model) => createRow(model, rows))));
  }

  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(draw, TYPING);
  });

  return {
    element,
    search,
    /**
     * @param {any[]} models
     * @param {{pictures: Map<string, number>, resident: Map<string, any>, can: Set<string>, busy: Map<string, string>}} known
     */
    show(models, known) {
      [list, facts] = [models, known];
      drawKinds();
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

/** For who has little but the model that ships. */
const invitation = (onMore) =>
  el(
    "div",
    { class: "invitation" },
    el("p", { class: "nothing-title" }, t("models.few")),
    el("p", { class: "soft" }, t("models.few.text")),
    el("button", { type: "button", class: "quiet-button", onclick: onMore }, t("models.view.install")),
  );
