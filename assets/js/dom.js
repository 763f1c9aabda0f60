// Making and finding elements.
import { t } from "./i18n.js";

/** The folder that the studio is served from; right behind a proxy's prefix too. */
export const ROOT = new URL("../../", import.meta.url);

/**
 * An element with properties and children. `class`, `data-*`, `aria-*`, `role` and the like are set as
 * attributes, `on*` functions as listeners, everything else as properties.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class" || name === "role" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/**
 * One of the icons of assets/icons/icons.svg, hidden from screen readers.
 * @param {string} name
 */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${new URL("studio/icons/icons.svg", ROOT)}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button with an icon and, when `text` is true, its label beside it; the label is always its name.
 * @param {string} name icon
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {{text?: boolean, class?: string, keys?: string}} [options]
 */
export function iconButton(name, label, onclick, options = {}) {
  const attributes = {
    type: "button",
    class: `${options.class ?? ""} ${options.text ? "quiet-button" : "icon-button"}`.trim(),
    onclick,
  };
  if (!options.text) {
    attributes["aria-label"] = label;
    attributes.title = options.keys ? t("named.keys", { what: label, keys: options.keys }) : label;
  }
  return el("button", attributes, icon(name), options.text ? label : "");
}

/**
 * Resolves with the first element that matches, now or when Gradio has put it there.
 * @param {string} selector
 * @returns {Promise<HTMLElement>}
 */
export function whenThere(selector) {
  return new Promise((resolve) => {
    const look = () => {
      const found = document.querySelector(selector);
      if (found) {
        watcher.disconnect();
        resolve(found);
      }
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document.documentElement, { childList: true, subtree: true });
    look();
  });
}

const AGAIN = 1500;
const SELDOM = 30000;

/**
 * Has an image load, and again when it did not get through, ever more seldom, as long as it is on the page.
 * @param {HTMLImageElement} image @param {string} address
 */
export function keepLoading(image, address, pause = AGAIN) {
  image.onerror = () =>
    setTimeout(() => image.isConnected && keepLoading(image, address, Math.min(pause * 2, SELDOM)), pause);
  image.src = address;
}

/** What the server left on a mount point. @param {HTMLElement} place */
export function factsOf(place) {
  return JSON.parse(place.dataset.facts ?? "{}");
}

/** localStorage that never throws: private windows and full disks only lose the memory. */
export const memory = {
  /** @param {string} key @returns {any} */
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(`studio.${key}`) ?? "null");
    } catch {
      return null;
    }
  },
  /** @param {string} key @param {any} value */
  set(key, value) {
    try {
      localStorage.setItem(`studio.${key}`, JSON.stringify(value));
    } catch {
      // nothing is lost but the memory of it
    }
  },
};
