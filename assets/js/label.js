// The label beside a picture, as in a museum: what was asked for, how it was made, what can be done.
import { pictures } from "./api.js";
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { downloadMenu } from "./menu.js";
import { facts } from "./recipe.js";

const FORMATS = ["png", "jpeg", "webp"];

/**
 * @param {HTMLElement} root
 * @param {{samplers: Map<string, any>, actions: any}} tools
 */
export function createLabel(root, { samplers, actions }) {
  let shown = "";

  function factLine(request) {
    const items = facts(request, { samplers, t });
    return el("ul", { class: "facts" }, ...items.map((fact) => el("li", {}, fact.text)));
  }

  return {
    /** @param {Record<string, any>} request @param {import("./recipe.js").Picture|null} picture */
    show(request, picture) {
      const key = JSON.stringify([request, picture?.id, picture?.favourite]);
      if (key === shown) return;
      shown = key;
      const text = el(
        "div",
        { class: "label-text" },
        el("p", { class: "label-prompt", lang: "" }, request.prompt || t("prompt.none")),
        factLine(request),
      );
      root.replaceChildren(text, ...(picture ? [actionRow(picture, actions)] : []));
    },
    clear() {
      shown = "";
      root.replaceChildren();
    },
  };
}

/**
 * What can be done with a picture, as a row of buttons.
 * @param {import("./recipe.js").Picture} picture @param {any} actions
 */
export function actionRow(picture, actions) {
  if (picture.trashed) {
    return el(
      "div",
      { class: "actions" },
      iconButton("restore", t("action.restore"), () => actions.restore([picture]), { text: true }),
    );
  }
  const heart = iconButton(
    picture.favourite ? "heart-full" : "heart",
    t(picture.favourite ? "action.unfavourite" : "action.favourite"),
    () => actions.favourite(picture),
    { keys: "F" },
  );
  heart.setAttribute("aria-pressed", String(picture.favourite));
  const words = el(
    "div",
    { class: "action-words" },
    iconButton("again", t("action.again"), () => actions.again(picture), { text: true }),
    iconButton("dice", t("action.more"), () => actions.more(picture), { text: true }),
    iconButton("vary", t("action.vary"), () => actions.vary(picture), { text: true }),
  );
  const icons = el(
    "div",
    { class: "action-icons" },
    heart,
    iconButton("larger", t("action.upscale"), () => actions.upscale(picture)),
    iconButton("brush", t("action.canvas"), () => actions.canvas(picture)),
    iconButton("film", t("action.animate"), () => actions.animate(picture)),
    iconButton("copy", t("action.copy"), () => actions.copy(picture)),
    iconButton("link", t("action.link"), () => actions.link(picture)),
    downloadMenu("download", t("action.download"), FORMATS.map((format) => ({
      label: t(`format.${format}`), note: t(`format.${format}.note`), href: pictures.download(picture.id, format),
    }))),
    iconButton("bin", t("action.bin"), () => actions.bin([picture]), { keys: "Del" }),
  );
  return el("div", { class: "actions" }, words, icons);
}
