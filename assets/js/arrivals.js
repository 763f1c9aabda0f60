// Where recipes come in: dropped or pasted anywhere on the page, or chosen with a button of the desk.
import { el, icon, whenThere } from "./dom.js";
import { t } from "./i18n.js";
import { looksLikeRecipe } from "./recipes.js";

/** @param {{file: (file: File) => void, text: (text: string) => void}} recipes */
export function receiveRecipes(recipes) {
  drops(recipes);
  document.addEventListener("paste", (event) => paste(event, recipes), true);
  whenThere("#studio-recipe").then((place) => place.replaceChildren(...chooser(recipes)));
}

/** A veil over the page while something is held over it; whatever takes a drop itself goes first. */
function drops(recipes) {
  const veil = el("div", { class: "drop-veil", "aria-hidden": "true" }, el("p", {}, icon("recipe"), t("recipe.drop")));
  document.body.append(veil);
  let inside = 0;
  const show = (is) => {
    inside = is ? inside : 0;
    veil.classList.toggle("is-in", is);
  };
  const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
  const isOurs = (event) => !event.defaultPrevented && (holdsFile(event) || !isTextBox(event.target));

  addEventListener("dragenter", (event) => {
    inside += 1;
    if (holdsFile(event)) show(true);
  });
  addEventListener("dragleave", () => {
    inside -= 1;
    if (inside <= 0) show(false);
  });
  addEventListener("dragover", (event) => isOurs(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    show(false);
    if (!isOurs(event)) return;
    const [file] = event.dataTransfer?.files ?? [];
    const text = event.dataTransfer?.getData("text/plain") ?? "";
    if (file || looksLikeRecipe(text)) event.preventDefault();
    if (file) recipes.file(file);
    else if (looksLikeRecipe(text)) recipes.text(text);
  });
}

/** Words for a box go into it, as ever; a picture, or a whole recipe over the desk, does not. */
function paste(event, recipes) {
  const [file] = event.clipboardData?.files ?? [];
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const free = !isTextBox(event.target) || event.target.closest("#desk");
  if (!file && !(free && looksLikeRecipe(text))) return;
  event.preventDefault();
  event.stopPropagation();
  if (file) recipes.file(file);
  else recipes.text(text);
}

const isTextBox = (target) => Boolean(target.closest?.("textarea, input:not([type=radio], [type=range], [type=checkbox], [type=file]), [contenteditable]"));

function chooser(recipes) {
  const input = el("input", { type: "file", accept: "image/png,image/jpeg,image/webp,text/plain,application/json", hidden: true, tabIndex: -1 });
  input.addEventListener("change", () => {
    if (input.files?.[0]) recipes.file(input.files[0]);
    input.value = "";
  });
  const button = el(
    "button",
    { type: "button", class: "recipe-button", title: t("recipe.read.help"), onclick: () => input.click() },
    icon("recipe"),
    t("recipe.read"),
  );
  return [button, input];
}
