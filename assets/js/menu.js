// A small menu under a button: it lies on top of everything, dialogs too, and closes by itself.
import { el, iconButton } from "./dom.js";

const GAP = 6;

/**
 * @param {string} name icon @param {string} label of the button and of the menu
 * @param {{label: string, note: string, href: string}[]} items what each downloads
 */
export function downloadMenu(name, label, items) {
  const links = items.map((item) =>
    el("a", { class: "menu-item", role: "menuitem", href: item.href, download: "", tabIndex: -1, onclick: () => setTimeout(close) },
      el("span", {}, item.label), el("span", { class: "soft" }, item.note)),
  );
  const menu = el("div", { class: "menu", role: "menu", "aria-label": label, popover: "auto" }, ...links);
  const button = iconButton(name, label, () => menu.togglePopover());
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  const close = () => menu.hidePopover();

  /** Under the button where there is room, else above; never over the window's edge. */
  function place() {
    const [at, size] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
    const below = at.bottom + GAP + size.height <= innerHeight;
    menu.style.top = `${below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - size.height)}px`;
    menu.style.left = `${Math.max(GAP, Math.min(at.right - size.width, innerWidth - size.width - GAP))}px`;
  }

  menu.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      place();
      links[0].focus();
    } else if (menu.contains(document.activeElement) || document.activeElement === document.body) button.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab") close();
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const next = links.indexOf(document.activeElement) + step;
    links[(next + links.length) % links.length].focus();
  });
  return el("span", { class: "menu-anchor" }, button, menu);
}
