// One control for one field of an animation, made from what the server says about it: its kind, bounds,
// choices and usual value. A field that is new there has its control here without a line more.
import { el, iconButton } from "../dom.js";
import { has, t } from "../i18n.js";

const SLIDES = 100; // a range wider than this is typed in

/**
 * @typedef {{name: string, kind: "switch"|"choice"|"number"|"text"|"file", label: string, help: string, usual: any,
 *   low?: number, high?: number, step?: number, choices?: string[]}} Field
 */

/** What a field is called. @param {Field} field */
export const labelOf = (field) => (has(field.label) ? t(field.label) : field.name.replaceAll("_", " "));

/**
 * @param {Field} field
 * @param {{id: string, onChange: (value: any) => void, empty?: string, keep?: (file: File) => Promise<string|null>}} how
 *   `empty`: what stands in the box while it is null, where that is allowed; `keep`: a file's hash, once it is kept
 */
export function createField(field, { id, onChange, empty, keep }) {
  const name = labelOf(field);
  const help = has(field.help) ? t(field.help) : "";
  const control = make(field, { id, onChange, empty, name, keep });
  const note = el("p", { class: "problem", id: `${id}-problem`, role: "alert", hidden: true });
  const element = el(
    "div",
    { class: `film-field film-${control.kind}`, "data-field": field.name, title: help },
    el("label", { htmlFor: id }, name),
    ...control.parts,
    note,
  );

  /** What is wrong with it, or nothing any more. @param {string} [message] */
  function problem(message = "") {
    note.textContent = message;
    note.hidden = !message;
    const marks = { "aria-invalid": "true", "aria-describedby": note.id };
    for (const [mark, value] of Object.entries(marks)) message ? control.input.setAttribute(mark, value) : control.input.removeAttribute(mark);
  }

  control.input.addEventListener("input", () => problem());
  return { name: field.name, element, input: control.input, set: control.set, problem };
}

function make(field, how) {
  if (field.kind === "switch") return makeSwitch(how);
  if (field.kind === "choice") return makeChoice(field, how);
  if (field.kind === "text") return makeText(how);
  if (field.kind === "file") return makeFile(how);
  return how.empty === undefined && field.high - field.low <= SLIDES ? makeSlider(field, how) : makeNumber(field, how);
}

function makeSwitch({ id, onChange }) {
  const input = el("input", { type: "checkbox", id, onchange: () => onChange(input.checked) });
  return { kind: "switch", input, parts: [input], set: (value) => (input.checked = Boolean(value)) };
}

function makeChoice(field, { id, onChange }) {
  const words = (choice) => (has(`${field.label}.${choice}`) ? t(`${field.label}.${choice}`) : choice);
  const options = field.choices.map((choice) => el("option", { value: choice }, words(choice)));
  const input = el("select", { class: "box", id, onchange: () => onChange(input.value) }, ...options);
  return { kind: "choice", input, parts: [input], set: (value) => (input.value = value) };
}

function makeSlider(field, { id, onChange }) {
  const output = el("output", { class: "figures", htmlFor: id });
  const input = el("input", {
    type: "range", class: "slide", id, min: field.low, max: field.high, step: field.step,
    oninput: () => (draw(), onChange(Number(input.value))),
  });
  function draw() {
    output.textContent = field.step < 1 ? Number(input.value).toFixed(2) : input.value;
    input.style.setProperty("--filled", `${(100 * (input.value - field.low)) / (field.high - field.low)}%`);
  }
  return { kind: "slider", input, parts: [input, output], set: (value) => ((input.value = value), draw()) };
}

/** What is no number is handed on as it is: the server says what is wrong with it. */
function makeNumber(field, { id, onChange, empty }) {
  const asNumber = (text) => (text === "" || Number.isNaN(Number(text)) ? text : Number(text));
  const input = el("input", {
    type: "text", class: "box figures", id, inputMode: field.step < 1 ? "decimal" : "numeric", autocomplete: "off", placeholder: empty ?? "",
    oninput: () => onChange(input.value.trim() === "" && empty !== undefined ? null : asNumber(input.value.trim())),
  });
  return { kind: "number", input, parts: [input], set: (value) => (input.value = value ?? "") };
}

/** A file that is kept by its hash; what it was called is known until the page is left. */
function makeFile({ id, onChange, keep, name }) {
  let title = "";
  let held = "";
  const chooser = el("input", { type: "file", accept: "audio/*,video/*", hidden: true, tabIndex: -1, onchange: chosen });
  const input = el("button", { type: "button", class: "quiet-button film-file", id, onclick: () => chooser.click() });
  const without = iconButton("close", t("animate.file.without", { name }), () => (set(""), onChange(""), input.focus()));

  async function chosen() {
    const [file] = chooser.files;
    chooser.value = "";
    if (!file) return;
    input.textContent = t("animate.file.busy");
    const hash = await keep(file);
    if (hash) title = file.name;
    set(hash ?? held);
    if (hash) onChange(hash);
  }

  function set(value) {
    held = value ?? "";
    input.textContent = held ? title || t("animate.file.kept") : t("animate.file.choose");
    without.hidden = !held;
  }

  return { kind: "file", input, parts: [el("span", { class: "film-file-row" }, input, without, chooser)], set };
}

function makeText({ id, onChange, empty, name }) {
  const input = el("textarea", { class: "box", id, rows: 1, lang: "", spellcheck: false, placeholder: empty ?? "", "aria-label": name, oninput: () => onChange(input.value) });
  return { kind: "text", input, parts: [input], set: (value) => (input.value = value ?? "") };
}
