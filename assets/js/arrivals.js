// Where recipes come in: dropped or pasted anywhere on the page, or chosen with a button of the desk.
import { isFilm } from "./animate/filmfile.js";
import { el, icon, whenThere } from "./dom.js";
import { t } from "./i18n.js";
import { isText, looksLikeRecipe } from "./recipes.js";

/**
 * @param {{file: (file: File) => void, text: (text: string) => void}} recipes
 * @param {{film: (file: File) => void, room: () => {words: string, files: (files: File[]) => void}|null}} places
 *   `film` reads a film's recipe; `room` is one that takes pictures for something else, if one is in it
 */
export function receiveRecipes(recipes, { film, room }) {
  const take = async (list) => {
    const films = await Promise.all(list.map(isFilm));
    const pictures = room() ? list.filter((file, index) => !films[index] && !isText(file)) : [];
    if (films.includes(true)) film(list[films.indexOf(true)]);
    else if (pictures.length) room().files(pictures);
    else recipes.file(list[0]);
  };
  drops(recipes, take, () => room()?.words ?? t("recipe.drop"));
  document.addEventListener("paste", (event) => paste(event, recipes, take), true);
  whenThere("#studio-recipe").then((place) => place.replaceChildren(...chooser(recipes, film)));
}

/** A veil over the page while something is held over it; whatever takes a drop itself goes first. */
function drops(recipes, take, words) {
  const text = el("span");
  const veil = el("div", { class: "drop-veil", "aria-hidden": "true" }, el("p", {}, icon("recipe"), text));
  document.body.append(veil);
  let inside = 0;
  const show = (is) => {
    inside = is ? inside : 0;
    if (is) text.textContent = words();
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
    const files = [...(event.dataTransfer?.files ?? [])];
    const given = event.dataTransfer?.getData("text/plain") ?? "";
    if (files.length || looksLikeRecipe(given)) event.preventDefault();
    if (files.length) take(files);
    else if (looksLikeRecipe(given)) recipes.text(given);
  });
}

/** Words for a box go into it, as ever; a picture, or a whole recipe over the desk, does not. */
function paste(event, recipes, take) {
  const files = [...(event.clipboardData?.files ?? [])];
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const free = !isTextBox(event.target) || event.target.closest("#desk");
  if (!files.length && !(free && looksLikeRecipe(text))) return;
  event.preventDefault();
  event.stopPropagation();
  if (files.length) take(files);
  else recipes.text(text);
}

const isTextBox = (target) => Boolean(target.closest?.("textarea, input:not([type=radio], [type=range], [type=checkbox], [type=file]), [contenteditable]"));

function chooser(recipes, film) {
  const input = el("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/gif,video/mp4,video/webm,application/zip,text/plain,application/json", hidden: true, tabIndex: -1 });
  input.addEventListener("change", async () => {
    const [file] = input.files ?? [];
    input.value = "";
    if (file) (await isFilm(file)) ? film(file) : recipes.file(file);
  });
  const button = el(
    "button",
    { type: "button", class: "recipe-button", title: t("recipe.read.help"), onclick: () => input.click() },
    icon("recipe"),
    t("recipe.read"),
  );
  return [button, input];
}
