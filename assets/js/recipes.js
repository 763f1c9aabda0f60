// Recipes that come from elsewhere: a picture, its text or a link -> the desk, with a way back.
import { ApiError, base64, call } from "./api.js";
import { t } from "./i18n.js";
import { holdsLink, textOf } from "./link.js";
import { withoutPixels } from "./metadata.js";

const OURS = "Creative Studio";
const LARGEST = 30_000_000; // bytes beside the pixels: no recipe is so long

/** @param {{desk: any, stage: any, toast: any, rooms: any, canvas: () => any}} tools */
export function createRecipes({ desk, stage, toast, rooms, canvas }) {
  /** What the server reads out of it goes onto the desk; what was there can be had back. */
  async function read(body) {
    const { request, source, unrecognised, missing } = await call("POST", "parameters", { body });
    if (!Object.keys(request).length) throw new Error("nothing that can be set");
    const before = { ...desk.values };
    if (request.init_image) await canvas().use(request);
    else rooms.go("create");
    await desk.apply(request);
    const list = [...missing.map(({ kind, name }) => t(`recipe.missing.${kind}`, { name })), ...unrecognised];
    const undo = { label: t("undo"), run: () => desk.write(before) };
    const title = source === OURS ? t("recipe.set") : t("recipe.set.from", { source });
    if (list.length) stage.say({ title, text: t("recipe.rest"), list, action: undo });
    else toast.show(title, undo);
  }

  /** Runs `work`; when it finds nothing to read, that is said in `words`. */
  async function attempt(work, words) {
    try {
      await work();
    } catch (error) {
      const silent = error instanceof ApiError && error.status === 0;
      const said = silent ? "lost" : words;
      rooms.go("create");
      stage.say({ title: t(`${said}.title`), text: t(`${said}.text`) });
    }
  }

  async function readFile(file) {
    if (isText(file)) return read({ text: await file.text() });
    const content = await withoutPixels(file);
    if (!content || content.size > LARGEST) throw new Error("no picture");
    return read({ image: await base64(content) });
  }

  return {
    /** @param {File} file a picture, or a text file as A1111 writes beside one */
    file: (file) => attempt(() => readFile(file), "recipe.none"),
    /** @param {string} text A1111's lines, a JSON recipe or a recipe link */
    text: (text) => (holdsLink(text) ? attempt(async () => read({ text: await textOf(text) }), "recipe.link") : attempt(() => read({ text }), "recipe.none")),
    /** The recipe in the page's own address, if there is one; it then leaves the address. */
    async address() {
      const { hash, pathname, search } = location;
      if (!holdsLink(hash)) return;
      history.replaceState(null, "", pathname + search);
      await this.text(hash);
    },
  };
}

/** Is a file text, as A1111 writes it beside a picture? @param {File} file */
export const isText = (file) => file.type.startsWith("text/") || /\.(txt|json)$/i.test(file.name);

/** Does a text look like a recipe, rather than like words for a prompt? @param {string} text */
export function looksLikeRecipe(text) {
  if (holdsLink(text)) return true;
  if (text.trimStart().startsWith("{")) return isObject(text);
  return /(^|\n)Steps: \d+, /.test(text);
}

function isObject(text) {
  try {
    return Object.keys(JSON.parse(text)).length > 0;
  } catch {
    return false;
  }
}
