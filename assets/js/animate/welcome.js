// The screen before the first film: what an animation is, and three that start with one click.
import { ROOT, el, iconButton } from "../dom.js";
import { language, t } from "../i18n.js";

/**
 * @typedef {{id: string, title: Record<string, string>, seed: number, film: Record<string, any>, poster: boolean,
 *   keyframes: {prompt: Record<string, string>, frames: number}[]}} Example
 * @param {HTMLElement} root
 * @param {{examples: Example[], onTry: (recipe: Record<string, any>) => void, onWords: () => void, onFilm: () => void}} tools
 */
export function createWelcome(root, { examples, onTry, onWords, onFilm }) {
  const said = (words) => words[language.slice(0, 2)] ?? words.en;

  function recipeOf({ seed, film, keyframes }) {
    return { ...film, seed, keyframes: keyframes.map(({ prompt, ...rest }) => ({ ...rest, prompt: said(prompt) })) };
  }

  function card(example) {
    const address = new URL(`studio/examples/${example.id}.webp`, ROOT).href;
    return el(
      "button",
      { type: "button", class: "example", "data-example": example.id, onclick: () => onTry(recipeOf(example)) },
      example.poster ? el("img", { src: address, alt: "", draggable: false, width: 224, height: 224 }) : el("span", { class: "example-blank" }),
      el("span", { class: "example-words" }, said(example.title)),
    );
  }

  root.append(
    el("p", { class: "welcome-title" }, t("animate.welcome")),
    el("div", { class: "examples" }, ...examples.map(card)),
    el(
      "div",
      { class: "canvas-ways" },
      iconButton("edit", t("animate.begin"), onWords, { text: true }),
      iconButton("recipe", t("animate.open"), onFilm, { text: true }),
    ),
  );
}
