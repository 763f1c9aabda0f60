// One picture, as large as the window allows, with everything known about it.
import { pictures, sources } from "./api.js";
import { el, iconButton } from "./dom.js";
import { moment, t } from "./i18n.js";
import { actionRow } from "./label.js";
import { facts } from "./recipe.js";

/** @param {{samplers: Map<string, any>, actions: any}} tools */
export function createLightbox({ samplers, actions }) {
  const image = el("img", { class: "large-picture", alt: "" });
  const panel = el("div", { class: "large-panel" });
  const back = iconButton("left", t("large.newer"), () => step(-1), { class: "large-back" });
  const on = iconButton("right", t("large.older"), () => step(1), { class: "large-on" });
  const close = iconButton("close", t("large.close"), () => dialog.close(), { class: "large-close", keys: "Esc" });
  const easel = el("div", { class: "large-easel", onclick: (event) => event.target === easel && dialog.close() }, back, image, on);
  const dialog = el("dialog", { class: "large", "aria-label": t("large"), tabIndex: -1, autofocus: true }, easel, panel, close);
  document.body.append(dialog);
  let list = [];
  let at = 0;
  let needMore = null;
  let opener = null;

  async function step(by) {
    if (at + by >= list.length && needMore) list = (await needMore()) ?? list;
    if (!list[at + by]) return;
    at += by;
    draw();
  }

  function draw() {
    const picture = list[at];
    if (!picture) {
      dialog.close();
      return;
    }
    image.src = pictures.file(picture.id);
    image.alt = picture.request.prompt;
    image.width = picture.width;
    image.height = picture.height;
    const shape = (width, height) => image.style.setProperty("--aspect", String(width / height));
    image.onload = () => shape(image.naturalWidth, image.naturalHeight);
    shape(picture.width, picture.height);
    back.disabled = at === 0;
    on.disabled = at === list.length - 1 && !needMore;
    panel.replaceChildren(...description(picture), actionRow(picture, actions));
  }

  /** What the picture was made from, if it was: a picture of one's own, which opens here, or a file. */
  function start({ request: { init_image: hash }, parents }) {
    if (!hash) return [];
    const image = el("img", { class: "large-start", src: sources.file(hash), alt: t("field.init_image"), loading: "lazy" });
    const door = parents?.[0]
      ? el("button", { type: "button", class: "large-parent", title: t("large.parent"), "aria-label": t("large.parent"), onclick: () => visit(parents[0]) }, image)
      : el("a", { href: sources.file(hash), target: "_blank" }, image);
    return [el("dt", {}, t("field.init_image")), el("dd", {}, door)];
  }

  /** Another picture, beside the one that is open: back leads to that again. */
  async function visit(id) {
    const there = list.findIndex((each) => each.id === id);
    if (there < 0) list.splice(at + 1, 0, await pictures.entry(id));
    at = there < 0 ? at + 1 : there;
    draw();
    dialog.focus(); // the button that had it is gone
  }

  function description(picture) {
    const { request, created } = picture;
    const size = picture.sized === false ? null : picture;
    const row = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
    const rows = facts(request, { samplers, t: plain }, size).flatMap(({ key, text }) => row(t(`field.${key}`), text));
    const negative = request.negative_prompt
      ? [el("p", { class: "large-negative" }, el("span", { class: "soft" }, t("field.negative_prompt")), ` ${request.negative_prompt}`)]
      : [];
    return [
      el("p", { class: "large-prompt" }, request.prompt || t("prompt.none")),
      ...negative,
      el("dl", { class: "parameters" }, ...rows, ...row(t("field.created"), moment(created)), ...start(picture)),
    ];
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else if (event.key === "Delete" && !list[at].trashed) actions.bin([list[at]]);
    else if (event.key.toLowerCase() === "f" && !event.ctrlKey && !event.metaKey) actions.favourite(list[at]);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("close", () => opener?.isConnected && opener.focus());

  actions.listen((what, which) => {
    if (what === "desk") return dialog.close();
    const ids = new Set(which.map((picture) => picture.id));
    if (what === "favourite") list = list.map((each) => (ids.has(each.id) ? which[0] : each));
    else list = list.filter((each) => !ids.has(each.id));
    at = Math.min(at, list.length - 1);
    if (dialog.open) draw();
    return undefined;
  });

  return {
    /** @param {any[]} pictures @param {number} index @param {() => Promise<any[]|null>} [more] */
    open(pictures, index, more) {
      [list, at, needMore, opener] = [[...pictures], index, more ?? null, document.activeElement];
      if (!list[at]) return;
      draw();
      dialog.showModal();
      dialog.focus();
    },
    close: () => dialog.close(),
    get isOpen() {
      return dialog.open;
    },
  };
}

/** In the panel every fact stands beside its name, so it needs no words of its own. */
const plain = (key, values) => (key.startsWith("fact.") ? String(Object.values(values)[0]) : t(key, values));
