// What is rare on the desk is folded away; a fold that was opened once stays open.
import { el, icon, memory } from "./dom.js";
import { t } from "./i18n.js";

/**
 * Gives every place marked as a fold its button. The place names what it folds: an element's id,
 * which is its word and the name it is remembered by as well.
 * @returns {(field: Element) => void} opens whatever a field is folded away in
 */
export function createFolds() {
  const folds = [...document.querySelectorAll("[data-fold]")].flatMap((place) => {
    const folded = document.getElementById(place.dataset.fold);
    return folded ? [{ folded, open: fold(place, folded) }] : [];
  });
  return (field) => {
    for (const { folded, open } of folds) if (folded.contains(field)) open(true);
  };
}

function fold(place, folded) {
  const name = folded.id;
  const button = el(
    "button",
    { type: "button", class: "fold", "aria-controls": name, onclick: () => open(folded.hidden) },
    t(name),
    icon("chevron"),
  );
  const open = (wanted) => {
    folded.hidden = !wanted;
    button.setAttribute("aria-expanded", String(wanted));
    memory.set(name, wanted);
  };
  place.replaceChildren(button);
  open(memory.get(name) ?? false);
  return open;
}
