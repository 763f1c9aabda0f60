// The empty canvas: ways to bring a picture in.
import { pictures } from "../api.js";
import { el, iconButton } from "../dom.js";
import { t } from "../i18n.js";

const LATEST = 6;

/**
 * @param {HTMLElement} root
 * @param {{onChoose: () => void, onSheet: () => void, onPicture: (id: string) => void}} listeners
 */
export function createWelcome(root, { onChoose, onSheet, onPicture }) {
  const latest = el("div", { class: "canvas-latest", role: "group", "aria-label": t("canvas.latest") });
  root.append(
    el("p", { class: "welcome-title" }, t("canvas.welcome")),
    el("p", { class: "soft" }, t("canvas.welcome.text")),
    el(
      "div",
      { class: "canvas-ways" },
      iconButton("picture", t("canvas.choose"), onChoose, { text: true }),
      iconButton("sheet", t("canvas.sheet"), onSheet, { text: true }),
    ),
    latest,
  );

  /** The last pictures that were made here. */
  async function look() {
    const found = await pictures.search({ limit: LATEST }).catch(() => ({ pictures: [] }));
    latest.replaceChildren(
      ...found.pictures.map(({ id, request }) =>
        el("button", { type: "button", class: "frame", "aria-label": t("canvas.take", { prompt: request.prompt || t("prompt.none") }), onclick: () => onPicture(id) },
          el("img", { src: pictures.thumbnail(id), alt: "", draggable: false })),
      ),
    );
  }

  return { look };
}
