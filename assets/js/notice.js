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

  hide();
  return {
    /**
     * @param {{title: string, text?: string, kept?: string, retry?: () => void}} notice
     */
    show({ title, text, kept, retry }) {
      const body = el(
        "div",
        { class: "notice-body" },
        el("p", { class: "notice-title" }, title),
        text ? el("p", {}, text) : null,
        kept ? el("p", { class: "soft" }, kept) : null,
      );
      const again = retry
        ? el("button", { type: "button", class: "quiet-button", onclick: () => (hide(), retry()) }, t("notice.retry"))
        : null;
      root.replaceChildren(
        el("div", { class: "notice-sheet" }, body, again, iconButton("close", t("notice.close"), hide)),
      );
      root.hidden = false;
    },
    hide,
  };
}
