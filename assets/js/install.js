// Installs from the hub: an address of one's own, the curated list, and what is on its way.
import { el } from "./dom.js";
import { createDownloads } from "./downloads.js";
import { t } from "./i18n.js";
import { hub } from "./library.js";
import { createOffers } from "./offers.js";
import { planCard } from "./plan.js";

/**
 * @param {{toast: any, onInstalled: () => Promise<void>, onUse: (where: string) => (() => void)|null,
 *   onProgress: (share: number|null) => void, onShow: () => void}} tools
 *   onUse gives what uses a model that was put somewhere, or null; onShow brings the installs into view.
 */
export function createInstall({ toast, onInstalled, onUse, onProgress, onShow }) {
  const downloads = createDownloads({ toast, onDone: done, onFailed: failed, onChange: changed });
  const offers = createOffers({ onInstall: install });
  const field = el("input", {
    type: "text", class: "box", id: "hub-address", placeholder: t("hub.address.example"), spellcheck: false, autocapitalize: "off", autocomplete: "off",
    "aria-describedby": "hub-address-help", maxLength: 500,
  });
  const look = el("button", { type: "submit", class: "quiet-button" }, t("hub.look"));
  const answer = el("div", { class: "plan", role: "status", "aria-live": "polite" });
  const element = el(
    "section",
    { class: "install", "aria-label": t("models.view.install") },
    downloads.element,
    el(
      "form",
      { class: "address", onsubmit: (event) => (event.preventDefault(), plan()) },
      el("label", { class: "shelf-title", htmlFor: "hub-address" }, t("hub.address")),
      el("p", { class: "soft", id: "hub-address-help" }, t("hub.address.help")),
      el("div", { class: "address-row" }, field, look),
    ),
    answer,
    offers.element,
  );
  let asked = 0;

  /** What an install would fetch, asked of the hub now; the last question's answer counts. @param {string|null} [file] */
  async function plan(file = null) {
    const address = field.value.trim();
    if (!address) return field.focus();
    const mine = ++asked;
    look.setAttribute("aria-disabled", "true");
    answer.replaceChildren(el("p", { class: "soft" }, t("hub.asking")));
    const shown = await hub
      .plan(address, file)
      .then((found) => planCard(found, { onInstall: () => install(address, file), onChoose: plan }))
      .catch((error) => el("p", { class: "problem" }, error.message || t("lost.title")));
    if (mine !== asked) return undefined;
    answer.replaceChildren(shown);
    return look.removeAttribute("aria-disabled");
  }

  async function install(address, file = null) {
    try {
      await hub.install(address, file);
      answer.replaceChildren();
      await downloads.watch();
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  }

  function changed(list) {
    offers.mark(list);
    const active = list.filter((each) => downloads.isActive(each));
    const [done, total] = ["done", "total"].map((name) => active.reduce((sum, each) => sum + each[name], 0));
    onProgress(active.length ? (total ? done / total : 0) : null);
  }

  async function done(download) {
    offers.draw();
    await onInstalled();
    const use = onUse(download.where);
    toast.show(t("downloads.installed", { name: download.name }), use ? { label: t("downloads.use"), run: use } : undefined);
  }

  function failed() {
    const run = () => (onShow(), downloads.element.scrollIntoView({ block: "center" }));
    toast.show(t("downloads.broke"), { label: t("downloads.show"), run });
  }

  return {
    element,
    watch: downloads.watch,
    enter() {
      offers.draw();
      downloads.watch();
    },
  };
}
