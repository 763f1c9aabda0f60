// The empty stage: one picture that pocket made, and a few words to begin with.
import { ROOT, el } from "./dom.js";
import { language, t } from "./i18n.js";

/**
 * @typedef {{id: string, prompt: Record<string, string>, picture: boolean}} Example
 * @param {HTMLElement} root
 * @param {{examples: Example[], onTry: (prompt: string) => void}} options
 */
export function createWelcome(root, { examples, onTry }) {
  const wordsOf = (example) => example.prompt[language.slice(0, 2)] ?? example.prompt.en;
  const image = (example) =>
    el("img", { src: new URL(`studio/examples/${example.id}.webp`, ROOT).href, alt: "", draggable: false });

  function card(example) {
    return el(
      "button",
      { type: "button", class: "example", onclick: () => onTry(wordsOf(example)) },
      example.picture ? image(example) : el("span", { class: "example-blank" }),
      el("span", { class: "example-words" }, wordsOf(example)),
    );
  }

  root.append(
    el("h1", { class: "welcome-title" }, t("welcome.title")),
    el("div", { class: "examples" }, ...examples.map(card)),
  );
  return {
    show: () => (root.hidden = false),
    hide: () => (root.hidden = true),
  };
}
