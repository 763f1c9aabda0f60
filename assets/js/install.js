// Installs from the hub: an address of one's own, the curated list, and what is on its way.
import { el } from "./dom.js";
import { createDownloads } from "./downloads.js";
import { has as said, language, size, t } from "./i18n.js";
import { hub } from "./library.js";
import { planCard } from "./plan.js";

/** @param {{toast: any, onInstalled: () => void}} tools */
export function createInstall({ toast, onInstalled }) {
  const downloads = createDownloads({ toast, onInstalled: () => (drawOffers(), onInstalled()) });
  const field = el("input", {
    type: "text", class: "box", id: "hub-address", placeholder: "owner/name", spellcheck: false, autocapitalize: "off", autocomplete: "off",
  });
  const look = el("button", { type: "submit", class: "quiet-button" }, t("hub.look"));
  const answer = el("div", { class: "plan", role: "status", "aria-live": "polite" });
  const offers = el("ul", { class: "models offers" });
  const element = el(
    "section",
    { class: "install", "aria-label": t("models.view.install") },
    downloads.element,
    el(
      "form",
      { class: "address", onsubmit: (event) => (event.preventDefault(), plan()) },
      el("label", { class: "shelf-title", htmlFor: "hub-address" }, t("hub.address")),
      el("p", { class: "soft" }, t("hub.address.help")),
      el("div", { class: "address-row" }, field, look),
    ),
    answer,
    el("h2", { class: "shelf-title" }, t("hub.offers")),
    el("p", { class: "soft" }, t("hub.offers.help")),
    offers,
  );

  /** What an install would fetch, asked of the hub now. @param {string|null} [file] */
  async function plan(file = null) {
    const address = field.value.trim();
    if (!address) return field.focus();
    look.disabled = true;
    answer.replaceChildren(el("p", { class: "soft" }, t("hub.asking")));
    try {
      const found = await hub.plan(address, file);
      answer.replaceChildren(planCard(found, { onInstall: () => install(address, file), onChoose: plan }));
    } catch (error) {
      answer.replaceChildren(el("p", { class: "problem" }, error.message || t("lost.title")));
    }
    look.disabled = false;
  }

  async function install(address, file = null) {
    try {
      await hub.install(address, file);
      answer.replaceChildren();
      await downloads.watch();
      downloads.element.scrollIntoView({ block: "nearest" });
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  }

  async function drawOffers() {
    try {
      offers.replaceChildren(...(await hub.offers()).map(offer));
    } catch (error) {
      offers.replaceChildren(el("li", { class: "model soft" }, error.message || t("lost.title")));
    }
  }

  function offer(each) {
    const words = each.words[language.slice(0, 2)] ?? each.words.en;
    const facts = [said(`family.${each.family}`) ? t(`family.${each.family}`) : each.family, each.licence];
    const label = t("hub.install", { size: size(each.size) });
    const button = each.installed
      ? el("span", { class: "model-state" }, el("span", { class: "dot is-on" }), t("hub.installed"))
      : el("button", { type: "button", class: "quiet-button", "aria-label": `${label}: ${each.title}`, onclick: () => install(each.repo_id) }, label);
    return el(
      "li",
      { class: "model offer" },
      el(
        "div",
        { class: "model-words" },
        el("p", { class: "model-name" }, each.title),
        el("p", {}, words),
        el("ul", { class: "facts" }, ...facts.map((fact) => el("li", {}, fact))),
      ),
      button,
    );
  }

  return {
    element,
    enter() {
      drawOffers();
      downloads.watch();
    },
  };
}
