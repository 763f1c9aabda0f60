// A calm notice in the stage: what happened, what to do, what was kept.
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";

/** @param {HTMLElement} root */
export function createNotice(root) {
  root.setAttribute("role", "alert");

  function hide() {
    root.replaceChildren();
    root.hidden = true;
  }

  let away = false;

  /** The server does not answer, or does again. @param {boolean} is */
  function lost(is) {
    if (is !== away) is ? show({ title: t("lost.title"), text: t("lost.text") }) : hide();
    away = is;
  }

  /**
   * @param {{title: string, text?: string, list?: string[], kept?: string, retry?: () => void,
   *   action?: {label: string, run: () => void}}} notice
   */
  function show({ title, text, list, kept, retry, action }) {
    const body = el(
      "div",
      { class: "notice-body" },
      el("p", { class: "notice-title" }, title),
      text ? el("p", {}, text) : null,
      list ? el("ul", { class: "notice-list", tabIndex: 0, "aria-label": text || title }, ...list.map((line) => el("li", {}, line))) : null,
      kept ? el("p", { class: "soft" }, kept) : null,
    );
    const todo = action ?? (retry ? { label: t("notice.retry"), run: retry } : null);
    const again = todo
      ? el("button", { type: "button", class: "quiet-button", onclick: () => (hide(), todo.run()) }, todo.label)
      : null;
    root.replaceChildren(
      el("div", { class: "notice-sheet" }, body, again, iconButton("close", t("notice.close"), hide)),
    );
    root.hidden = false;
    root.scrollIntoView({ block: "nearest" });
  }

  hide();
  return { show, hide, lost };
}
