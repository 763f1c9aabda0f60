// Name, tabs, what the machine is doing, language and light.
import { studio } from "./api.js";
import { el, factsOf, iconButton } from "./dom.js";
import { language, size, switchLanguage, t } from "./i18n.js";

const LOOK = 4000;

/**
 * @param {HTMLElement} root
 * @param {{onHelp: () => void}} options
 */
export function createTopbar(root, { onHelp }) {
  const { tabs, title } = factsOf(root);
  const tab = (name) => el("a", { href: `#${name}`, class: "tab", "data-tab": name }, t(`tab.${name}`));
  const model = el("a", { class: "chip model-chip", href: "#models" });
  const queue = el("span", { class: "chip queue-chip", role: "status" });
  root.setAttribute("role", "banner");
  root.replaceChildren(
    el("a", { class: "name", href: "#create" }, title),
    el("nav", { class: "tabs", "aria-label": t("tabs") }, ...tabs.map(tab)),
    el("div", { class: "chips" }, queue, model),
    el("div", { class: "switches" }, languageSwitch(), themeSwitch(), helpButton(onHelp)),
  );

  async function look() {
    try {
      const health = await studio.health();
      showModel(health);
      showQueue(health.queued);
    } catch {
      showModel({}); // the stage says when the server is away
    }
  }

  /** The model that painted last, and how full the memory is. */
  function showModel({ device, memory, model: resident }) {
    const words = resident ?? t("chip.starting");
    const share = memory?.total ? Math.min(1, memory.used / memory.total) : 0;
    const bar = el("span", { class: "memory", "aria-hidden": "true" }, el("span", { class: "memory-used" }));
    bar.firstElementChild.style.width = `${Math.max(2, share * 100)}%`;
    model.replaceChildren(
      el("span", { class: resident ? "dot is-on" : "dot" }),
      el("span", {}, words),
      resident && device ? el("span", { class: "soft device" }, device) : "",
      memory?.total ? bar : "",
    );
    model.title = memory?.total ? t("chip.memory", { used: size(memory.used), total: size(memory.total) }) : t("chip.model");
    model.setAttribute("aria-label", t("named", { what: t("chip.model"), name: [words, device].filter(Boolean).join(t("words.and")) }));
  }

  function showQueue(waiting = 0) {
    queue.textContent = waiting ? t("chip.queue", { n: waiting }) : "";
    queue.hidden = !waiting;
  }

  showQueue(0);
  look();
  setInterval(() => document.hidden || look(), LOOK);
  return { look };
}

function languageSwitch() {
  const other = language === "en" ? "zh-CN" : "en";
  return el(
    "button",
    { type: "button", class: "icon-button language", "aria-label": t("switch.language"), title: t("switch.language"),
      onclick: () => switchLanguage(other) },
    el("span", { lang: other }, other === "en" ? "EN" : "中"),
  );
}

function themeSwitch() {
  const root = document.documentElement;
  const button = iconButton("theme", t("switch.theme"), () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("studio.theme", root.dataset.theme);
    } catch {
      // the choice then lasts as long as the page
    }
  });
  return button;
}

const helpButton = (onHelp) => iconButton("keyboard", t("shortcuts"), onHelp, { class: "help-button", keys: "?" });
