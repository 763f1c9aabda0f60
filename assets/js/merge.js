// Merging checkpoints: which, how much of each, and what the result is called.
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { has, merges } from "./library.js";
import { createMergeLoras } from "./mergeloras.js";
import { createMerging } from "./merging.js";

const METHODS = ["weighted_sum", "add_difference"];
const PRECISIONS = ["float16", "bfloat16", "float32"];

/** @param {{toast: any, onMerged: () => void}} tools */
export function createMerge({ toast, onMerged }) {
  const merging = createMerging({ toast, onMerged });
  const slots = ["a", "b", "c"].map(slot);
  const loras = createMergeLoras();
  const method = select("method", METHODS.map((each) => [each, t(`merge.${each}`)]), redraw);
  const vae = select("vae", []);
  const precision = select("dtype", PRECISIONS.map((each) => [each, t(`merge.${each}`)]));
  const name = el("input", { type: "text", class: "box", id: "merge-name", required: true, maxLength: 100, spellcheck: false, autocomplete: "off" });
  const how = el("p", { class: "soft merge-how" });
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const start = el("button", { type: "submit", class: "fill-button" }, t("merge.start"));
  const form = el(
    "form",
    { class: "merge-form", onsubmit: (event) => (event.preventDefault(), begin()) },
    labelled("merge.method", method, how),
    ...slots.map((each) => each.element),
    loras.element,
    el("div", { class: "merge-pair" }, labelled("merge.vae", vae), labelled("merge.dtype", precision)),
    labelled("merge.name", name),
    problem,
    start,
  );
  const nothing = el("div", { class: "nothing", hidden: true }, el("p", { class: "nothing-title" }), el("p", { class: "soft" }));
  const element = el("section", { class: "merge", "aria-label": t("models.view.merge") }, merging.element, nothing, form);
  let usable = [];
  let able = null;

  /** A select for a checkpoint, and a slider for how much of it. */
  function slot(letter) {
    const choice = select(letter, []);
    const value = el("output", { class: "figures" });
    const slider = el("input", { type: "range", class: "slide", min: "0", max: "1", step: "0.05", value: letter === "a" ? "0.5" : letter === "b" ? "0.5" : "0", oninput: draw });
    const weight = el("label", { class: "merge-weight" }, el("span", { class: "soft" }, t("merge.weight")), slider, value);
    function draw() {
      value.textContent = Number(slider.value).toFixed(2);
      slider.style.setProperty("--filled", `${Number(slider.value) * 100}%`);
      slider.setAttribute("aria-label", t("merge.weight.of", { letter: letter.toUpperCase() }));
    }
    draw();
    return { choice, slider, weight, element: el("div", { class: "merge-slot" }, labelled(`merge.model.${letter}`, choice), weight) };
  }

  /** What the method needs: a third model and one weight, or a weight for each. */
  function redraw() {
    const difference = method.value === "add_difference";
    how.textContent = t(`merge.${method.value}.help`);
    slots[0].weight.hidden = difference;
    slots[2].weight.hidden = difference;
    slots[2].choice.required = difference;
    slots[2].choice.options[0].textContent = t(difference ? "merge.pick" : "merge.none");
  }

  function recipe() {
    const chosen = slots.filter((each) => each.choice.value);
    const difference = method.value === "add_difference";
    return {
      name: name.value.trim(), method: method.value, models: chosen.map((each) => each.choice.value),
      weights: difference ? [Number(slots[1].slider.value)] : chosen.map((each) => Number(each.slider.value)),
      vae: vae.value || null, loras: loras.values, dtype: precision.value,
    };
  }

  async function begin() {
    const order = recipe();
    const wanted = order.method === "add_difference" ? 3 : 2;
    if (order.models.length < wanted) return complain(t("merge.few", { n: wanted }));
    complain("");
    start.disabled = true;
    try {
      await merges.start(order);
      await merging.watch();
    } catch (error) {
      complain(error.message || t("lost.title"));
    }
    start.disabled = false;
  }

  function complain(text) {
    problem.textContent = text;
    problem.hidden = !text;
  }

  function fill(list) {
    usable = list.filter((each) => each.kind === "checkpoint" && !each.problem && each.family !== "unknown");
    for (const { choice } of slots) options(choice, [["", t("merge.pick")], ...usable.map((each) => [each.name, each.name])]);
    options(vae, [["", t("merge.vae.own")], ...list.filter((each) => each.kind === "vae" && !each.problem).map((each) => [each.name, each.name])]);
    loras.learn(list.filter((each) => each.kind === "lora" && !each.problem).map((each) => each.name));
    redraw();
    const few = usable.length < 2;
    form.hidden = few || able === false;
    nothing.hidden = !form.hidden;
    nothing.firstElementChild.textContent = t(able === false ? "merge.unable" : "merge.two");
    nothing.lastElementChild.textContent = able === false ? "" : t("merge.two.text");
  }

  redraw();
  return {
    element,
    /** @param {any[]} list what is installed */
    learn: fill,
    async enter(list) {
      able = await has("merges");
      fill(list);
      if (able) merging.watch();
    },
  };
}

function select(name, entries, onchange) {
  const element = el("select", { class: "box", id: `merge-${name}`, onchange });
  options(element, entries.length ? entries : [["", ""]]);
  return element;
}

/** Keeps what is chosen when it is still there. */
function options(element, entries) {
  const chosen = element.value;
  element.replaceChildren(...entries.map(([value, text]) => el("option", { value }, text)));
  if (entries.some(([value]) => value === chosen)) element.value = chosen;
}

const labelled = (key, control, ...more) => el("div", { class: "merge-field" }, el("label", { htmlFor: control.id }, t(key)), control, ...more);
