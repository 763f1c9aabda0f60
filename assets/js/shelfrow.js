// One model on the shelf: a line, and what is known about it when the line is opened.
import { el, icon } from "./dom.js";
import { has as said, size, t } from "./i18n.js";
import { models } from "./library.js";

/**
 * @param {any} model
 * @param {{pictures: Map<string, number>, resident: Map<string, any>, can: Set<string>, busy: Map<string, string>, desk: any,
 *   open: Set<string>, onUse: (name: string) => void, onTell: (what: string, name: string) => Promise<void>}} tools
 */
export function createRow(model, tools) {
  const key = `${model.kind}/${model.name}`;
  const state = stateOf(model, tools);
  const drawer = el("div", { class: "model-drawer", id: `drawer-${key.replace(/\s/g, "_")}`, hidden: !tools.open.has(key) });
  const line = el(
    "button",
    { type: "button", class: "model-open", "data-key": key, "aria-expanded": String(!drawer.hidden), "aria-controls": drawer.id, onclick: toggle },
    tile(model, tools.pictures.get(key)),
    el(
      "span",
      { class: "model-words" },
      el("span", { class: "model-name" }, el("bdi", {}, model.name), model.default ? el("span", { class: "soft model-mark" }, ` ${t("models.default")}`) : ""),
      model.problem ? el("span", { class: "soft model-trouble" }, model.problem) : el("span", { class: "facts" }, ...short(model)),
    ),
    STATES.includes(state) ? el("span", { class: "model-state" }, el("span", { class: state === "resident" ? "dot is-on" : "dot" }), el("span", { class: "state-word" }, t(`models.${state}`))) : null,
    icon("chevron"),
  );

  function toggle() {
    drawer.hidden = !drawer.hidden;
    line.setAttribute("aria-expanded", String(!drawer.hidden));
    if (drawer.hidden) tools.open.delete(key);
    else tools.open.add(key);
  }

  drawer.append(details(model, tools.resident.get(model.name)), actions(model, state, tools));
  return el("li", { class: `model is-${state}` }, line, drawer);
}

const STATES = ["ready", "resident", "waiting", "loading"];

/** Only checkpoints are loaded; one that is parked beside a GPU waits in the computer's memory. */
function stateOf(model, { resident, busy }) {
  if (model.problem) return "problem";
  if (model.kind !== "checkpoint") return "there";
  if (busy.get(model.name) === "load") return "loading";
  const held = resident.get(model.name);
  if (held) return held.where === "ram" ? "waiting" : "resident";
  return model.resident ? "resident" : "ready";
}

/** The picture that lies with the model, or the first letter of its name. */
function tile(model, version) {
  if (version === undefined) return el("span", { class: "model-tile", "aria-hidden": "true" }, [...model.name.split("/").pop()][0] ?? "");
  const image = el("img", { src: models.preview(model, version), alt: "", loading: "lazy", draggable: false });
  return el("span", { class: "model-tile" }, image);
}

const familyOf = ({ family }) => (said(`family.${family}`) ? t(`family.${family}`) : "");
const varietyOf = ({ variety }) => (variety && said(`variety.${variety}`) ? t(`variety.${variety}`) : "");
const sideOf = ({ native_size: side, kind }) => (side && kind === "checkpoint" ? `${side} × ${side}` : "");

/** What stands in the line. */
function short(model) {
  const painting = model.inpainting ? t("fact.inpainting") : "";
  const facts = [familyOf(model), painting, varietyOf(model), size(model.size)].filter(Boolean).map((fact) => el("span", {}, fact));
  const more = [["fact-side", sideOf(model)], ["fact-hash", model.sha256?.slice(0, 10)]].filter(([, fact]) => fact);
  return [...facts, ...more.map(([name, fact]) => el("span", { class: name }, fact))];
}

/** Everything that is known, as names and values. */
function details(model, held) {
  const { defaults } = model;
  const usual = defaults && model.kind === "checkpoint" && !model.problem
    ? [t("fact.steps", { n: defaults.num_inference_steps }), t("fact.cfg", { n: defaults.guidance_scale })].join(t("words.and")) : "";
  const rows = [
    ["models.fact.kind", model.problem ? "" : t(`kind.${model.kind}`)],
    ["models.fact.family", familyOf(model)],
    ["models.fact.size", size(model.size)],
    ["models.fact.side", model.problem ? "" : sideOf(model)],
    ["models.fact.usual", usual],
    ["models.fact.hash", model.sha256 ?? (model.problem ? "" : t("models.hashing"))],
    ["models.fact.where", model.where],
    ["models.fact.held", held?.plan ?? ""],
    ["models.fact.words", model.known_words && !model.problem ? t("models.words") : ""],
  ].filter(([, value]) => value);
  return el("dl", { class: "model-facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, t(name)), el("dd", {}, value)]));
}

/** What can be done with a usable checkpoint; the other kinds are used from the desk. */
function actions(model, state, { can, busy, onUse, onTell, desk }) {
  const row = el("div", { class: "model-actions" });
  if (model.kind !== "checkpoint" || model.problem) return row;
  const button = (key, label, run, working = false) =>
    el(
      "button",
      { type: "button", class: "quiet-button", "data-key": `${key} ${model.name}`, "aria-label": t("named", { what: label, name: model.name }), "aria-disabled": String(working), onclick: () => working || run() },
      label,
    );
  const working = busy.get(model.name);
  const here = desk.values.model === model.name;
  row.append(button("use", t(here ? "models.chosen" : "models.use"), () => onUse(model.name)));
  const what = working === "load" || working === "unload" ? working : ["resident", "waiting"].includes(state) ? "unload" : "load";
  if (can.has(what)) row.append(button("hold", t(working === what ? `models.${what}ing` : `models.${what}`), () => onTell(what, model.name), working === what));
  if (can.has("default") && !model.default) row.append(button("default", t("models.make"), () => onTell("default", model.name), working === "default"));
  return row;
}
