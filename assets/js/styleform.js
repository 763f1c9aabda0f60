// A style to write or to change.
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { labelled } from "./sheet.js";
import { idOf } from "./wordbook.js";

/**
 * @param {import("./wordbook.js").Style|null} style null for a new one
 * @param {{taken: Iterable<string>, onKeep: (id: string, values: any) => void, onDrop: (id: string) => void, onLeave: () => void}} listener
 */
export function styleForm(style, { taken, onKeep, onDrop, onLeave }) {
  const name = el("input", { type: "text", required: true, maxLength: 100, value: style?.name ?? "" });
  const prompt = el("textarea", { rows: 3, value: style?.prompt ?? "{prompt}, ", maxLength: 10000 });
  const negative = el("textarea", { rows: 2, value: style?.negative_prompt ?? "", maxLength: 10000 });
  const drop = style?.own
    ? el("button", { type: "button", class: "link", onclick: () => onDrop(style.id) }, t("styles.drop"))
    : null;

  function keep(event) {
    event.preventDefault();
    onKeep(style?.id ?? idOf(name.value, taken), { name: name.value, prompt: prompt.value, negative_prompt: negative.value });
  }

  return el(
    "form",
    { class: "sheet-form", onsubmit: keep },
    labelled(t("styles.name"), name),
    labelled(t("field.prompt"), prompt, t("styles.slot")),
    labelled(t("field.negative_prompt"), negative),
    style && !style.own ? el("p", { class: "soft" }, t("styles.covers")) : null,
    el(
      "div",
      { class: "sheet-buttons" },
      el("button", { type: "submit", class: "quiet-button" }, t("styles.keep")),
      el("button", { type: "button", class: "quiet-button", onclick: onLeave }, t("styles.leave")),
      drop,
    ),
  );
}

/** Asks for a file and hands on its text. @param {(text: string) => void} onText */
export function takeFile(onText) {
  const input = el("input", {
    type: "file",
    accept: ".csv,.json,text/csv,application/json",
    onchange: async () => input.files[0] && onText(await input.files[0].text()),
  });
  input.click();
}
