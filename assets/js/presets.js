// Presets: the desk as it is, kept under a name, and put back.
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { createSheet } from "./sheet.js";
import { idOf, wordbook } from "./wordbook.js";

const WORDS = ["prompt", "negative_prompt", "styles"];

/** @param {any} desk @param {{toast: any}} tools */
export function createPresets(desk, { toast }) {
  const sheet = createSheet(t("presets.title"));
  const name = el("input", { type: "text", required: true, maxLength: 100, placeholder: t("presets.name"), "aria-label": t("presets.name") });
  const words = el("input", { type: "checkbox" });
  /** @type {any[]} */
  let kept = [];
  const form = el(
    "form",
    { class: "preset-form", onsubmit: keep },
    el("div", { class: "preset-line" }, name, el("button", { type: "submit", class: "quiet-button" }, t("presets.keep"))),
    el("label", { class: "preset-words" }, words, t("presets.words")),
  );

  let asked = 0;

  /** An older answer, that comes late, does not take the place of a newer one. */
  async function attempt(work) {
    try {
      await work();
      const own = (asked += 1);
      const found = await wordbook.presets();
      if (own !== asked) return;
      kept = found;
      list();
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  }

  function list() {
    sheet.foot.replaceChildren(form);
    sheet.body.replaceChildren(...(kept.length ? kept.map(row) : [el("p", { class: "soft sheet-nothing" }, t("presets.nothing"))]));
  }

  function row(preset) {
    const use = el("button", { type: "button", class: "sheet-row", onclick: () => take(preset) }, el("span", {}, preset.name), el("span", { class: "soft" }, summary(preset.values)));
    const drop = iconButton("bin", t("presets.drop", { name: preset.name }), () => attempt(() => wordbook.dropPreset(preset.id)));
    return el("div", { class: "sheet-line" }, use, drop);
  }

  function summary({ prompt, width, height, num_inference_steps: steps, model }) {
    const size = width && height ? `${width} × ${height}` : "";
    return [prompt, model, size, steps ? t("fact.steps", { n: steps }) : ""].filter(Boolean).join(" · ");
  }

  function take(preset) {
    desk.apply(preset.values, { counts: true });
    sheet.dialog.close();
    toast.show(t("presets.taken", { name: preset.name }));
  }

  function keep(event) {
    event.preventDefault();
    const named = name.value.trim();
    const same = kept.find((preset) => preset.name === named);
    const values = Object.fromEntries(Object.entries(desk.asOrder()).filter(([field]) => words.checked || !WORDS.includes(field)));
    attempt(async () => {
      await wordbook.keepPreset(same?.id ?? idOf(named, kept.map((preset) => preset.id)), named, values);
      name.value = "";
      toast.show(t("presets.kept", { name: named }));
    });
  }

  return {
    open() {
      list();
      sheet.open();
      attempt(async () => {});
    },
  };
}
