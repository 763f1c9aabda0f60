// The LoRAs that become part of a merge: chosen one by one, each with its weight.
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const MOST = 16;

export function createMergeLoras() {
  const choice = el("select", { class: "box", id: "merge-lora", onchange: () => (add(choice.value), (choice.value = "")) });
  const rows = el("ul", { class: "merge-loras" });
  const element = el("div", { class: "merge-field" }, el("label", { htmlFor: choice.id }, t("merge.loras")), choice, rows);
  /** @type {Map<string, HTMLInputElement>} */
  const chosen = new Map();
  let names = [];

  function add(name) {
    if (!name || chosen.has(name) || chosen.size >= MOST) return;
    const value = el("output", { class: "figures" });
    const slider = el("input", { type: "range", class: "slide", min: "-1", max: "2", step: "0.05", value: "1", "aria-label": t("merge.weight.of.lora", { name }), oninput: draw });
    const row = el("li", {}, el("span", { class: "merge-lora-name" }, name), slider, value, iconButton("close", t("named", { what: t("merge.loras.without"), name }), () => remove(name, row)));
    function draw() {
      value.textContent = Number(slider.value).toFixed(2);
      slider.style.setProperty("--filled", `${((Number(slider.value) + 1) / 3) * 100}%`);
    }
    draw();
    chosen.set(name, slider);
    rows.append(row);
    offer();
  }

  function remove(name, row) {
    chosen.delete(name);
    row.remove();
    offer();
    choice.focus();
  }

  /** Those that are not chosen yet. */
  function offer() {
    const left = names.filter((name) => !chosen.has(name));
    choice.replaceChildren(...[["", t("merge.loras.add")], ...left.map((name) => [name, name])].map(([value, text]) => el("option", { value }, text)));
    element.hidden = !names.length;
  }

  return {
    element,
    /** @param {string[]} there the usable LoRAs */
    learn(there) {
      if (there.join("\n") === names.join("\n")) return;
      names = there;
      for (const [name, slider] of chosen) if (!names.includes(name)) (chosen.delete(name), slider.closest("li").remove());
      offer();
    },
    /** As the API wants them. */
    get values() {
      return [...chosen].map(([name, slider]) => ({ name, weight: Number(slider.value) }));
    },
  };
}
