// LoRAs on the desk: those that the prompt names, each with its weight, and a sheet to choose from.
// The prompt says it all; what stands here is read from it and written into it.
import { suits } from "./choices.js";
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { models } from "./library.js";
import { isSpeakable, tagsIn, weighed, withoutTag, withTag } from "./loratags.js";
import { createSheet } from "./sheet.js";

const USUAL = 0.8;
const [LEAST, MOST] = [-1, 2];

/**
 * @param {any} desk
 * @param {{models: Map<string, any>, loras: Map<string, any>}} installed
 */
export function createLoras(desk, installed) {
  const sheet = createSheet(t("loras.title"), { class: "loras-sheet", search: t("loras.search"), onSearch: list });
  const rows = el("ul", { class: "lora-rows", "aria-label": t("loras.chosen") });
  let pictures = new Map();
  let shown = "";
  sheet.search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    sheet.body.querySelector("button")?.click();
  });

  const tags = () => tagsIn(desk.values.prompt ?? "");
  const rewrite = (change) => desk.write({ prompt: change(desk.values.prompt ?? "") });
  const lastOf = (name) => name.split("/").pop();
  const same = (one, other) => one.toLowerCase() === other.toLowerCase() || lastOf(one).toLowerCase() === other.toLowerCase();
  const tagOf = (lora) => tags().find((tag) => same(lora.name, tag.name));

  /** Those that go with the model on the desk. */
  function fitting() {
    const family = installed.models.get(desk.values.model)?.family;
    return [...installed.loras.values()].filter((lora) => suits(lora, family) && isSpeakable(lora.name));
  }

  function toggle(lora) {
    const tag = tagOf(lora);
    rewrite((text) => (tag ? withoutTag(text, tag) : withTag(text, lora.name, USUAL)));
  }

  function list(query = "") {
    const words = query.toLowerCase().split(/\s+/);
    const found = fitting().filter((lora) => words.every((word) => lora.name.toLowerCase().includes(word)));
    sheet.body.replaceChildren(
      el("div", { class: "style-grid" }, ...found.map(tile)),
      ...(found.length ? [] : [el("p", { class: "soft sheet-nothing" }, t("nothing.search"))]),
    );
    mark();
  }

  function tile(lora) {
    const version = pictures.get(`lora/${lora.name}`);
    const face = version === undefined
      ? el("span", { class: "style-face", "aria-hidden": "true" }, [...lastOf(lora.name)][0])
      : el("img", { class: "style-face", src: models.preview(lora, version), alt: "", loading: "lazy", width: 48, height: 48 });
    const folder = lora.name.slice(0, -lastOf(lora.name).length - 1);
    return el(
      "button",
      { type: "button", class: "style-tile", "data-lora": lora.name, "aria-pressed": "false", onclick: () => toggle(lora) },
      face,
      el("span", { class: "style-name" }, lastOf(lora.name), folder ? el("span", { class: "soft lora-folder" }, folder) : null),
    );
  }

  function mark() {
    for (const button of sheet.body.querySelectorAll("[data-lora]")) {
      button.setAttribute("aria-pressed", String(Boolean(tagOf(installed.loras.get(button.dataset.lora) ?? { name: "" }))));
    }
  }

  /** One line for each tag; while the names are the same, only the weights are drawn anew. */
  function draw() {
    const there = tags();
    const names = JSON.stringify(there.map((tag) => tag.name));
    if (names !== shown) rows.replaceChildren(...there.map((tag, index) => row(tag.name, index)));
    shown = names;
    for (const [index, { weight }] of there.entries()) rows.children[index].dispatchEvent(new CustomEvent("weigh", { detail: weight }));
    if (sheet.dialog.open) mark();
  }

  function row(name, index) {
    const value = el("output", { class: "figures" });
    const slider = el("input", { type: "range", min: LEAST, max: MOST, step: 0.05, "aria-label": t("loras.weight", { name }), oninput: () => show(Number(slider.value)) });
    slider.addEventListener("change", () => rewrite((text) => weighed(text, tagsIn(text)[index], Number(slider.value))));
    const remove = iconButton("close", t("loras.remove", { name }), () => {
      rewrite((text) => withoutTag(text, tagsIn(text)[index]));
      document.querySelector("#field-prompt textarea")?.focus();
    });
    function show(weight) {
      value.textContent = weight.toFixed(2);
      slider.style.setProperty("--range_progress", `${(100 * (Math.min(MOST, Math.max(LEAST, weight)) - LEAST)) / (MOST - LEAST)}%`);
    }
    const element = el("li", {}, el("span", { class: "lora-name", title: name }, lastOf(name)), slider, value, remove);
    element.addEventListener("weigh", ({ detail }) => {
      slider.value = detail;
      show(detail);
    });
    return element;
  }

  desk.watch(draw);
  draw();
  return {
    element: rows,
    /** Is there anything to choose? */
    get any() {
      return fitting().length > 0;
    },
    open() {
      list();
      sheet.open();
      models.previews().then((found) => {
        pictures = found;
        list(sheet.search.value.trim());
      }).catch(() => {}); // letters do as well
    },
  };
}
