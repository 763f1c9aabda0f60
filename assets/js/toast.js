// One short sentence at the bottom edge, with at most one thing to do about it.
import { el } from "./dom.js";

const SECONDS = 8;

export function createToast() {
  const root = el("div", { class: "toast", role: "status", "aria-live": "polite" });
  document.body.append(root);
  let timer = 0;

  function hide() {
    clearTimeout(timer);
    root.classList.remove("is-in");
    root.replaceChildren();
  }

  return {
    /** @param {string} text @param {{label: string, run: () => void}} [action] */
    show(text, action) {
      clearTimeout(timer);
      (document.querySelector("dialog[open]") ?? document.body).append(root); // over what lies on top
      const button = action
        ? el("button", { type: "button", onclick: () => (hide(), action.run()) }, action.label)
        : null;
      root.replaceChildren(el("span", {}, text), ...(button ? [button] : []));
      root.classList.add("is-in");
      timer = setTimeout(hide, (action ? SECONDS : SECONDS / 3) * 1000);
    },
    hide,
  };
}
