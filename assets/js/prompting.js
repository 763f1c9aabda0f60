// What stands under the prompt: styles as chips, doors to what is kept, and what would be drawn.
import { el, icon, iconButton, whenThere } from "./dom.js";
import { t } from "./i18n.js";
import { teachCompletion } from "./completion.js";
import { createDrawn } from "./drawn.js";
import { teachEmphasis } from "./emphasis.js";
import { createLoras } from "./loras.js";
import { createPastPrompts } from "./pastprompts.js";
import { createPresets } from "./presets.js";
import { createStylePicker } from "./stylepicker.js";
import { createTokens } from "./tokens.js";
import { styleName, wordbook } from "./wordbook.js";

/**
 * @param {any} desk
 * @param {{toast: any, installed: any, onQueued: (ids: string[]) => void}} tools
 * @returns {Promise<{put: (id: string) => void, name: (id: string) => string}>} what other prompts do with styles
 */
export async function createPrompting(desk, { toast, installed, onQueued }) {
  const place = await whenThere("#studio-prompting");
  /** @type {Map<string, import("./wordbook.js").Style>} */
  let styles = new Map();
  const chips = el("div", { class: "style-chips", role: "list", "aria-label": t("styles.chosen") });
  const drawn = createDrawn(desk, { toast, onQueued });
  const tokens = createTokens(desk);
  const loras = createLoras(desk, installed);
  const picker = createStylePicker({ chosen: () => desk.values.styles, choose, all: () => styles, reload, toast });
  const doors = [
    door("styles", () => picker.open()),
    door("presets", createPresets(desk, { toast }).open),
    door("history", createPastPrompts(desk, { toast }).open),
    door("loras", () => loras.open()),
  ];
  const offerLoras = () => (doors[3].hidden = !loras.any);
  place.id = "field-styles";
  place.classList.add("prompting");
  place.replaceChildren(el("div", { class: "prompting-row" }, ...doors, tokens.element), chips, loras.element, drawn.element);

  function choose(id, wanted) {
    const others = desk.values.styles.filter((each) => each !== id);
    desk.write({ styles: wanted ? [...others, id] : others });
  }

  async function reload() {
    const list = await wordbook.styles();
    styles = new Map(list.map((style) => [style.id, style]));
    drawChips();
  }

  let shown = "";
  function drawChips() {
    const ids = desk.values.styles;
    const key = JSON.stringify(ids.map((id) => [id, styles.get(id)?.name]));
    if (key === shown) return;
    shown = key;
    chips.replaceChildren(...ids.map((id) => el("div", { class: "style-chip", role: "listitem" }, ...chip(id))));
    picker.refresh();
  }

  function chip(id) {
    const style = styles.get(id);
    const name = style ? styleName(style) : id;
    return [
      el("span", { title: style?.prompt ?? "" }, name),
      iconButton("close", t("styles.remove", { name }), () => (choose(id, false), doors[0].focus())),
    ];
  }

  const nameOf = (id) => (styles.has(id) ? styleName(styles.get(id)) : id);
  for (const name of ["prompt", "negative_prompt"]) {
    const box = /** @type {HTMLTextAreaElement} */ (await whenThere(`#field-${name} textarea`));
    teachEmphasis(box);
    const completion = teachCompletion(box, {
      model: () => desk.values.model,
      onStyle: (id) => choose(id, true),
      names: nameOf,
    });
    document.querySelector("#generate")?.addEventListener("click", completion.close);
  }
  desk.watch(() => (drawChips(), offerLoras(), drawn.look(), tokens.look()));
  offerLoras();
  await reload().catch(() => {}); // the desk works without them
  drawn.look();
  tokens.look();
  return { put: (id) => choose(id, true), name: nameOf };
}

function door(name, open) {
  return el("button", { type: "button", class: "door", "data-door": name, "aria-haspopup": "dialog", onclick: open }, icon(name), t(`${name}.title`));
}
