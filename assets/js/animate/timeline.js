// The keyframes in a row: written, moved by hand or by key, copied, thrown away.
import { el, icon } from "../dom.js";
import { t } from "../i18n.js";
import { createCard } from "./card.js";

const EDGE = 56; // pixels
const STRIDE = 12;

/**
 * @param {HTMLElement} root
 * @param {{draft: any, facts: any, desk: any, sketches: any, status: any, toast: any, stylesOf: any, wordsFor: () => any, drawNow: () => void,
 *   goInstall: () => void, takePicture: (file: File, id: number) => void}} tools
 */
export function createTimeline(root, { draft, facts, desk, sketches, status, toast, stylesOf, wordsFor, drawNow, goInstall, takePicture }) {
  const row = el("ol", { class: "keyframes", "aria-label": t("animate.timeline") });
  const add = el("button", { type: "button", class: "keyframe-add", onclick: append }, icon("plus"), el("span", {}, t("animate.add")));
  const summary = el("p", { class: "soft figures timeline-summary", role: "status" });
  root.append(el("div", { class: "timeline-row" }, row, add), summary);
  /** @type {Map<number, ReturnType<typeof createCard>>} */
  const cards = new Map();

  function cardOf(keyframe) {
    const { id } = keyframe;
    const card = createCard(keyframe, {
      facts, desk, stylesOf, goInstall,
      change: (values) => draft.change(id, values),
      draw: () => sketches.draw(id),
      duplicate: () => focusOn(draft.duplicate(id)),
      remove: () => discard(id),
      picture: (file) => file && takePicture(file, id),
    });
    card.handle.addEventListener("keydown", (event) => byKey(event, id));
    card.handle.addEventListener("pointerdown", (event) => byHand(event, id));
    card.element.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
    card.element.addEventListener("drop", (event) => dropped(event, id));
    cards.set(id, card);
    return card;
  }

  function append() {
    const added = draft.add();
    if (added) focusOn(added);
    else toast.show(t("animate.full", { most: facts.most }));
  }

  function focusOn(keyframe) {
    drawNow();
    const card = keyframe && cards.get(keyframe.id);
    card?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
    card?.prompt.focus({ preventScroll: true });
  }

  function discard(id) {
    const place = draft.keyframes.findIndex((each) => each.id === id);
    const bringBack = draft.remove(id);
    drawNow();
    toast.show(t("animate.removed", { number: place + 1 }), { label: t("undo"), run: bringBack });
    cards.get((draft.keyframes[place] ?? draft.keyframes.at(-1)).id)?.handle.focus();
  }

  const placeOf = (id) => draft.keyframes.findIndex((each) => each.id === id);

  function moveTo(id, place) {
    draft.move(id, place);
    drawNow();
    status.say(t("animate.moved", { number: placeOf(id) + 1, of: draft.keyframes.length }));
  }

  function byKey(event, id) {
    const place = { ArrowLeft: placeOf(id) - 1, ArrowUp: placeOf(id) - 1, ArrowRight: placeOf(id) + 1, ArrowDown: placeOf(id) + 1, Home: 0, End: Infinity }[event.key];
    if (place === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moveTo(id, place);
    cards.get(id).handle.focus();
  }

  /** The card takes the place of whichever it is drawn over. */
  function byHand(event, id) {
    if (event.button) return;
    const { handle, element } = cards.get(id);
    handle.setPointerCapture(event.pointerId);
    element.classList.add("is-held");
    let at = event;
    const follow = (move) => (at = move);
    /** Every moment, for at the edge the row moves under a hand that rests. */
    const look = () => {
      if (!element.classList.contains("is-held")) return;
      moveAlong(root, at);
      const over = draft.keyframes.findIndex((each) => each.id !== id && isOver(cards.get(each.id).element, element, at));
      if (over >= 0) draft.move(id, over);
      requestAnimationFrame(look);
    };
    const end = () => {
      element.classList.remove("is-held");
      handle.removeEventListener("pointermove", follow);
      handle.focus();
    };
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("lostpointercapture", end, { once: true });
    requestAnimationFrame(look);
  }

  function dropped(event, id) {
    const file = event.dataTransfer?.files?.[0];
    if (!file?.type.startsWith("image/") || file.type === "image/gif") return;
    event.preventDefault();
    takePicture(file, id);
  }

  /** Puts the cards in their order. One that is held stays where it is, or the browser would let go of it. */
  function arrange() {
    const wanted = draft.keyframes.map(({ id }) => cards.get(id).element);
    if (wanted.every((element, index) => row.children[index] === element)) return;
    const held = row.querySelector(".is-held");
    const at = wanted.indexOf(held);
    const focused = document.activeElement;
    for (const element of wanted.slice(0, Math.max(at, 0))) held.before(element);
    row.append(...wanted.slice(at < 0 ? 0 : at + 1));
    if (row.contains(focused)) focused.focus({ preventScroll: true }); // what moves loses it
  }

  return {
    card: (id) => cards.get(id),
    focusFirst: () => focusOn(draft.keyframes.find(draft.isBlank) ?? draft.keyframes[0]),
    clear: () => cards.forEach((card) => card.clear()),
    /** Everything as the draft has it. @param {string} words what it comes to */
    draw(words) {
      const { keyframes, film } = draft;
      for (const [id, card] of cards) if (!draft.get(id)) (card.element.remove(), cards.delete(id));
      for (const keyframe of keyframes) if (!cards.has(keyframe.id)) cardOf(keyframe);
      arrange();
      keyframes.forEach((keyframe, index) => {
        const last = index === keyframes.length - 1;
        cards.get(keyframe.id).show(keyframe, {
          number: index + 1, count: keyframes.length, goesOn: !last || film.loop, back: last && film.loop,
          seconds: Number(keyframe.frames) && Number(film.fps) ? t("time.seconds", { n: (keyframe.frames / film.fps).toFixed(1) }) : "",
          face: sketches.faceOf(keyframe), words: wordsFor(),
        });
      });
      add.disabled = draft.isFull;
      summary.textContent = words;
    },
  };
}

/** Near an edge, what lies beyond it comes into sight. */
function moveAlong(root, { clientX: x, clientY: y }) {
  const row = root.querySelector(".timeline-row");
  const { left, right } = row.getBoundingClientRect();
  row.scrollLeft += x > right - EDGE ? STRIDE : x < left + EDGE ? -STRIDE : 0;
  if (row.scrollWidth <= row.clientWidth) scrollBy(0, y > innerHeight - 2 * EDGE ? STRIDE : y < 2 * EDGE ? -STRIDE : 0);
}

/** Is the pointer past the middle of another card, seen from where the held one is? */
function isOver(other, held, { clientX: x, clientY: y }) {
  const [box, own] = [other.getBoundingClientRect(), held.getBoundingClientRect()];
  const stacked = Math.abs(box.left - own.left) < 8;
  const [at, from, to, ownFrom] = stacked ? [y, box.top, box.bottom, own.top] : [x, box.left, box.right, own.left];
  const middle = (from + to) / 2;
  return at > from && at < to && (from > ownFrom ? at > middle : at < middle);
}
