// What is wrong with a field, said beside it and named.
import { el } from "./dom.js";
import { bounds, count, language, t } from "./i18n.js";

/** @param {(name: string) => void} reveal brings a folded field into sight */
export function createProblems(reveal) {
  const fieldOf = (name) => document.querySelector(`#field-${name}`);

  function clear(name) {
    const field = fieldOf(name);
    field?.querySelector(".problem")?.remove();
    for (const input of field?.querySelectorAll("[aria-invalid]") ?? []) {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
  }

  function showOne({ field: name, message }, values) {
    clear(name);
    reveal(name);
    const field = fieldOf(name) ?? document.querySelector("#generate")?.parentElement;
    const note = el("p", { class: "problem", id: `problem-${name}`, role: "alert" }, sentence(name, message, values[name]));
    field?.append(note);
    const input = field?.querySelector("textarea, input");
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", note.id);
    return input;
  }

  return {
    clear,
    clearAll: () => document.querySelectorAll(".problem").forEach((note) => clear(note.id.slice("problem-".length))),
    /** @param {{field: string, message: string}[]} found @param {Record<string, any>} values */
    show(found, values) {
      const inputs = found.map((problem) => showOne(problem, values));
      // Revealed fields take a moment to be drawn.
      setTimeout(() => {
        // A list would open at once and hide what is said.
        if (inputs[0]?.role !== "combobox") inputs[0]?.focus({ preventScroll: true });
        inputs[0]?.scrollIntoView({ block: "center" });
      }, 80);
    },
  };
}

/** The server's sentence; in Chinese the page's own, where the bound is known to be what is wrong. */
function sentence(name, message, value) {
  const { minimum: min, maximum: max, multipleOf: step, maxLength } = bounds[name] ?? {};
  if (language === "en") return message;
  const label = t(`field.${name}`);
  if (maxLength && typeof value === "string" && value.length > maxLength) {
    return t("problem.length", { label, max: count(maxLength), given: count(value.length) });
  }
  const number = typeof value === "number";
  const wrong = min !== undefined && (!number || value < min || value > max || (step && value % step !== 0));
  if (!wrong) return message;
  const given = number ? count(value) : `“${String(value).slice(0, 40)}”`;
  return t(step ? "problem.step" : "problem.range", { label, min: count(min), max: count(max), step, given });
}
