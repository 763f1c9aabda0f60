// What Gradio's controls lack: steppers, dice, a note about words, proper radio groups.
import { el, iconButton, whenThere } from "./dom.js";
import { createFolds } from "./folds.js";
import { t } from "./i18n.js";

const TAUGHT = ["batch_size", "num_images", "seed", "shape", "prompt", "refiner_switch_at", "seed_resize_height", "outpaint_bottom", "tile_overlap"];

/**
 * @param {any} desk
 * @param {{lastSeed: () => number|null, goModels: () => void}} tools
 */
export async function teachManners(desk, { lastSeed, goModels }) {
  // Gradio puts the controls there in an order of its own
  await Promise.all(TAUGHT.map((name) => whenThere(`#field-${name} :is(input, textarea)`)));
  stepper(desk);
  seedButtons(desk, lastSeed);
  radios();
  sliders();
  desk.listeners.reveal = createFolds();
  wordNote(desk, goModels);
  whatIsInUse(desk);
  const generate = document.querySelector("#generate");
  if (/Mac|iP/.test(navigator.platform)) document.documentElement.style.setProperty("--keys", '"⌘ ↵"');
  generate?.setAttribute("aria-keyshortcuts", "Control+Enter");
  document.querySelector("#field-prompt textarea")?.setAttribute("spellcheck", "false");
  document.documentElement.dataset.desk = "ready";
}

function stepper(desk) {
  const field = document.querySelector("#field-num_images");
  const label = field?.querySelector("label");
  if (!field || !label) return;
  const by = (change) => () => {
    const now = Number(desk.values.num_images) || 1;
    desk.write({ num_images: Math.min(64, Math.max(1, now + change)) });
  };
  label.before(iconButton("minus", t("count.fewer"), by(-1)));
  label.after(iconButton("plus", t("count.more"), by(1)));
  label.title = t("help.num_images");
  field.classList.add("stepper");
}

function seedButtons(desk, lastSeed) {
  const label = document.querySelector("#field-seed label");
  const dice = iconButton("dice", t("seed.dice"), () => desk.write({ seed: null }));
  const lock = iconButton("lock", t("seed.lock"), () => {
    const seed = desk.values.seed === null ? (lastSeed() ?? Math.floor(Math.random() * 2 ** 32)) : null;
    desk.write({ seed });
  });
  label?.after(dice, lock);
  label?.querySelector("input, textarea")?.setAttribute("inputmode", "numeric");
  const show = ({ seed }) => {
    const locked = seed !== null && seed !== undefined;
    lock.setAttribute("aria-pressed", String(locked));
    dice.setAttribute("aria-pressed", String(!locked));
  };
  desk.listeners.changed = show;
  show(desk.values);
}

/** Gradio gives every radio button a name of its own; with one name the arrow keys walk the group. */
function radios() {
  const group = document.querySelector("#field-shape");
  const name = () => {
    for (const input of group?.querySelectorAll("input[type=radio]") ?? []) {
      if (input.name !== "shape") input.name = "shape";
      input.closest("label").title = t(`shape.${input.value}`);
    }
  };
  group?.setAttribute("role", "radiogroup");
  group?.setAttribute("aria-label", t("field.shape"));
  if (group) new MutationObserver(name).observe(group, { childList: true, subtree: true });
  name();
}

/** Both halves of a slider are named by its field, in the page's language. */
function sliders() {
  for (const range of document.querySelectorAll("#desk [id^=field-] input[type=range]")) {
    const field = range.closest("[id^='field-']");
    const name = t(field.id.replace("field-", "field."));
    for (const input of field.querySelectorAll("input")) input.setAttribute("aria-label", name);
  }
}

/** What refines an enlarged picture is shown once there is one. */
function whatIsInUse(desk) {
  const look = ({ hires_scale: scale, hires_width: width, hires_height: height }) => {
    document.documentElement.dataset.hires = scale > 1 || width || height ? "yes" : "no";
  };
  desk.watch(look);
  look(desk.values);
}

/** A kind word about words that the model has never seen. */
function wordNote(desk, goModels) {
  const place = document.querySelector("#studio-words");
  if (!place) return;
  place.setAttribute("role", "status");
  desk.listeners.unknown = (words) => {
    place.replaceChildren();
    if (!words.length) return;
    const shown = words.slice(0, 4).map((word) => t("words.quoted", { word: word.length > 24 ? `${word.slice(0, 23)}…` : word }));
    const text = t("words.unknown", { n: words.length, model: desk.values.model, words: shown.join(t("words.and")) });
    const link = el("button", { type: "button", class: "link", onclick: goModels }, t("words.models"));
    place.append(el("p", { class: "word-note" }, `${text} `, link));
  };
}
