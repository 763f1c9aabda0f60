// Merging checkpoints: which, how much of each, and what the result is called.
import { suits } from "./choices.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { has, merges } from "./library.js";
import { createMergeLoras } from "./mergeloras.js";
import { createMerging } from "./merging.js";

const METHODS = ["weighted_sum", "add_difference"];
const PRECISIONS = ["float16", "bfloat16", "float32"];

/** @param {{toast: any, onMerged: () => Promise<void>, onUse: (where: string) => (() => void)|null}} tools */
export function createMerge({ toast, onMerged, onUse }) {
  const merging = createMerging({ toast, onMerged, onUse });
  const slots = ["a", "b", "c"].map(slot);
  slots[0].choice.addEventListener("change", offer);
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
  let list = [];
  let able = null;

  /** A select for a checkpoint, and a slider for how much of it. */
  function slot(letter) {
    const choice = select(letter, [], redraw);
    const value = el("output", { class: "figures" });
    const name = t("merge.weight.of", { letter: letter.toUpperCase() });
    const slider = el("input", { type: "range", class: "slide", min: "0", max: "1", step: "0.05", value: "0.5", "aria-label": name, oninput: redraw });
    const weight = el("label", { class: "merge-weight" }, el("span", { class: "soft" }, t("merge.weight")), slider, value);
    return { choice, slider, value, weight, element: el("div", { class: "merge-slot" }, labelled(`merge.model.${letter}`, choice), weight) };
  }

  const isDifference = () => method.value === "add_difference";

  /** What the method needs: a third model and one weight, or a weight for each, of which the shares count. */
  function redraw() {
    const difference = isDifference();
    how.textContent = t(`merge.${method.value}.help`);
    const counted = slots.filter((each) => (difference ? each === slots[1] : each !== slots[2] || each.choice.value));
    const total = counted.reduce((sum, each) => sum + Number(each.slider.value), 0);
    for (const each of slots) {
      const weight = Number(each.slider.value);
      each.weight.hidden = !counted.includes(each);
      each.value.textContent = difference ? weight.toFixed(2) : `${Math.round((100 * weight) / (total || 1))} %`;
      each.slider.style.setProperty("--filled", `${weight * 100}%`);
    }
    slots[2].choice.required = difference;
    slots[2].choice.options[0].textContent = t(difference ? "merge.pick" : "merge.none");
  }

  function recipe() {
    const chosen = slots.filter((each) => each.choice.value);
    return {
      name: name.value.trim(), method: method.value, models: chosen.map((each) => each.choice.value),
      weights: isDifference() ? [Number(slots[1].slider.value)] : chosen.map((each) => Number(each.slider.value)),
      vae: vae.value || null, loras: loras.values, dtype: precision.value,
    };
  }

  async function begin() {
    const order = recipe();
    const alone = order.vae || order.loras.length; // one model may have something baked in
    const wanted = order.method === "add_difference" ? 3 : alone ? 1 : 2;
    if (order.models.length < wanted) return complain(t("merge.few", { n: wanted }));
    complain("");
    start.disabled = true;
    try {
      await merges.start(order);
      name.value = "";
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

  const usable = () => list.filter((each) => each.kind === "checkpoint" && !each.problem);

  /** Model A decides what goes with it. */
  function offer() {
    const family = usable().find((each) => each.name === slots[0].choice.value)?.family;
    const fitting = (kind) => list.filter((each) => each.kind === kind && suits(each, family)).map((each) => [each.name, each.name]);
    for (const { choice } of slots.slice(1)) options(choice, [["", t("merge.pick")], ...fitting("checkpoint")]);
    options(vae, [["", t("merge.vae.own")], ...fitting("vae")]);
    loras.learn(fitting("lora").map(([name]) => name));
    redraw();
  }

  function fill(installed) {
    list = installed;
    options(slots[0].choice, [["", t("merge.pick")], ...usable().map((each) => [each.name, each.name])]);
    offer();
    const few = usable().length < 2;
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
