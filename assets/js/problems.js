// What is wrong with a field, said beside it and named.
import { el } from "./dom.js";

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

  function showOne({ field: name, message }) {
    clear(name);
    reveal(name);
    const field = fieldOf(name) ?? document.querySelector("#generate")?.parentElement;
    const note = el("p", { class: "problem", id: `problem-${name}`, role: "alert" }, message);
    field?.append(note);
    const input = field?.querySelector("textarea, input");
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", note.id);
    return input;
  }

  return {
    clear,
    clearAll: () => document.querySelectorAll(".problem").forEach((note) => clear(note.id.slice("problem-".length))),
    /** @param {{field: string, message: string}[]} found as the server says it, in the page's language */
    show(found) {
      const inputs = found.map(showOne);
      // Revealed fields take a moment to be drawn.
      setTimeout(() => {
        // A list would open at once and hide what is said.
        if (inputs[0]?.role !== "combobox") inputs[0]?.focus({ preventScroll: true });
        inputs[0]?.scrollIntoView({ block: "center" });
      }, 80);
    },
  };
}
