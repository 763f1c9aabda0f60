// A quiet dialog with a title, something to search and a list.
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @param {string} title
 * @param {{class?: string, search?: string, onSearch?: (query: string) => void}} [options] `search`: its label
 */
export function createSheet(title, options = {}) {
  const search = options.search
    ? el("input", {
        class: "sheet-search", type: "search", placeholder: options.search, "aria-label": options.search,
        autocomplete: "off", oninput: () => options.onSearch?.(search.value.trim()),
      })
    : null;
  const body = el("div", { class: "sheet-body" });
  const foot = el("div", { class: "sheet-foot" });
  const dialog = /** @type {HTMLDialogElement} */ (
    el(
      "dialog",
      { class: `sheet tall-sheet ${options.class ?? ""}`, "aria-label": title, onclick: (event) => event.target === dialog && dialog.close() },
      el("div", { class: "sheet-head" }, el("h2", {}, title), search),
      body,
      foot,
      iconButton("close", t("large.close"), () => dialog.close(), { class: "sheet-close" }),
    )
  );
  document.body.append(dialog);
  return {
    dialog,
    body,
    foot,
    search,
    /** Opens it, with nothing searched for. */
    open() {
      if (search) search.value = "";
      dialog.showModal();
    },
  };
}

/** A labelled box of a form. @param {string} label @param {HTMLElement} input @param {string} [help] */
export function labelled(label, input, help) {
  return el("label", { class: "sheet-field" }, el("span", {}, label), input, help ? el("span", { class: "soft" }, help) : null);
}
