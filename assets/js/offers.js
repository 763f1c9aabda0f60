// The curated list: what a person may want first, one click each.
import { el } from "./dom.js";
import { ACTIVE } from "./downloads.js";
import { has as said, language, size, t } from "./i18n.js";
import { hub } from "./library.js";

/** @param {{onInstall: (repository: string) => void}} tools */
export function createOffers({ onInstall }) {
  const rows = el("ul", { class: "models offers" });
  const element = el("div", {}, el("h2", { class: "shelf-title" }, t("hub.offers")), el("p", { class: "soft offers-help" }, t("hub.offers.help")), rows);
  /** @type {Map<string, ReturnType<typeof createOffer>>} */
  const shown = new Map();
  let downloads = [];

  async function draw() {
    try {
      const offers = await hub.offers();
      for (const each of offers) {
        if (!shown.has(each.repo_id)) {
          shown.set(each.repo_id, createOffer(each, onInstall));
          rows.append(shown.get(each.repo_id).element);
        }
        shown.get(each.repo_id).learn(each);
      }
      mark(downloads);
    } catch (error) {
      if (!shown.size) rows.replaceChildren(el("li", { class: "model soft" }, error.message || t("lost.title")));
    }
  }

  /** Say on each button how far its install is. @param {any[]} list */
  function mark(list) {
    downloads = list;
    for (const [repository, row] of shown) row.mark(list.find((each) => each.repo_id === repository && !each.file && each.state !== "done"));
  }

  return { element, draw, mark };
}

function createOffer(offer, onInstall) {
  let working = false;
  const title = offer.names[language.slice(0, 2)] ?? offer.title;
  const install = t("hub.install", { size: size(offer.size) });
  const button = el("button", { type: "button", class: "quiet-button figures", onclick: () => working || onInstall(offer.repo_id) });
  const there = el("span", { class: "model-state" }, el("span", { class: "dot is-on" }), t("hub.installed"));
  const family = said(`family.${offer.family}`) ? t(`family.${offer.family}`) : offer.family;
  const licence = el("a", { class: "page-link", href: offer.page, target: "_blank", rel: "noopener noreferrer", "aria-label": t("hub.page", { title, licence: offer.licence }) }, offer.licence);
  const element = el(
    "li",
    { class: "model offer" },
    el(
      "div",
      { class: "model-words" },
      el("p", { class: "model-name" }, title),
      el("p", {}, offer.words[language.slice(0, 2)] ?? offer.words.en),
      el("ul", { class: "facts" }, el("li", {}, family), el("li", {}, licence)),
    ),
    button,
    there,
  );

  return {
    element,
    learn({ installed }) {
      [button.hidden, there.hidden] = [installed, !installed];
    },
    /** @param {any} [download] the install that is not done, if there is one */
    mark(download) {
      working = Boolean(download) && ACTIVE.includes(download.state);
      const share = download?.total ? `${Math.floor((100 * download.done) / download.total)} %` : t("downloads.started");
      button.textContent = working ? share : download ? t(download.done ? "downloads.resume" : "notice.retry") : install;
      button.setAttribute("aria-label", t("named", { what: button.textContent, name: title }));
      button.setAttribute("aria-disabled", String(working));
    },
  };
}
