// What comes to the timeline: pictures as keyframes, by their recipe or as they are, and whole films' recipes.
import { ApiError, animations, pictures, sources } from "../api.js";
import { handPicture } from "../canvas/handover.js";
import { el } from "../dom.js";
import { t } from "../i18n.js";
import { isHires } from "../recipe.js";

const PATIENCE = 100; // Gradio's controls take a moment to take values in

/** Would a keyframe with the picture's recipe be the picture? @param {Record<string, any>} request */
const isPlain = (request) =>
  !request.init_image && !isHires(request) && !request.refiner && !request.clip_guidance_scale && !request.variation_strength && (request.tiling ?? "none") === "none";

const isRecipe = ({ keyframes }) => Array.isArray(keyframes) && keyframes.every((each) => each && typeof each === "object");

/**
 * @param {HTMLElement} root
 * @param {{draft: any, desk: any, rooms: any, toast: any, notice: any, installed: any, keyOf: (keyframe: any) => string,
 *   shared: string[]}} tools `shared`: the fields of the desk that all keyframes have in common; `keyOf`: what a
 *   keyframe's picture depends on
 */
export function receive(root, { draft, desk, rooms, toast, notice, installed, keyOf, shared }) {
  const input = root.appendChild(el("input", { type: "file", accept: "video/mp4,video/webm,image/webp,image/gif,application/zip", hidden: true, tabIndex: -1, onchange: chosen }));
  const numberOf = (id) => draft.keyframes.findIndex((each) => each.id === id) + 1;
  const full = () => toast.show(t("animate.full", { most: draft.keyframes.length }));

  function chosen() {
    const [file] = input.files;
    input.value = "";
    if (file) film(file);
  }

  /** Whether it worked; where the server refuses, its sentence is shown and nothing is changed. */
  async function attempt(work, title) {
    root.classList.add("is-taking");
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notice.show(error.status ? { title, text: error.message } : { title: t("lost.title"), text: t("lost.text") });
      return false;
    } finally {
      root.classList.remove("is-taking");
    }
  }

  /** A file becomes what a keyframe shows: of the one with this id, or of the first that is blank. */
  function keep(file, id = null) {
    return attempt(async () => {
      const { hash } = await handPicture(file);
      if (id !== null) draft.change(id, { picture: hash });
      else if (!draft.fill({ picture: hash })) full();
    }, t("canvas.refused.name", { name: file.name }));
  }

  /** A film that was made here brings its recipe. @param {File} file */
  function film(file) {
    rooms.go("animate");
    return attempt(async () => {
      const { animation, missing, unrecognised } = await animations.recipeIn(file);
      await recipe(animation ?? {}, { rest: [...missing.map(({ message }) => message), ...unrecognised] });
    }, t("animate.norecipe"));
  }

  /**
   * A recipe onto the timeline and the desk; what was there can be had back.
   * @param {any} given @param {{then?: () => void, rest?: string[]}} [how] `rest`: what of it could not be taken over
   */
  async function recipe(given, { then, rest = [] } = {}) {
    rooms.go("animate");
    if (!isRecipe(given)) return notice.show({ title: t("animate.norecipe"), text: t("animate.norecipe.text") });
    const before = { ...desk.values };
    const back = draft.take(given);
    const [first = {}] = given.keyframes;
    const common = Object.fromEntries(shared.map((name) => [name, given[name] ?? first[name]]).filter(([, value]) => value !== undefined));
    await desk.apply({ ...common, styles: given.styles ?? [] });
    if (then) return void setTimeout(then, PATIENCE);
    const undo = { label: t("undo"), run: () => (back(), desk.write(before)) };
    const missing = common.model && !installed.models.has(common.model) ? [t("recipe.missing.checkpoint", { name: common.model })] : [];
    const list = rest.length ? rest : missing;
    if (list.length) notice.show({ title: t("animate.set"), text: t("recipe.rest"), list, action: undo });
    else toast.show(t("animate.set"), undo);
    return undefined;
  }

  /** A picture of the gallery or a kept one, as it is. */
  async function asItIs({ id, prompt }, place = null) {
    const { hash } = await sources.keep({ image: id });
    const own = { picture: hash, prompt, thumb: null };
    if (place !== null) return draft.change(place, own);
    const keyframe = draft.fill(own);
    return keyframe ? toast.show(t("animate.taken.picture", { number: numberOf(keyframe.id) })) : full();
  }

  /** Its words, and what it was drawn with: where nothing was written yet, that goes onto the desk. */
  async function asWords({ id, request }) {
    const { prompt, negative_prompt, seed, guidance_scale } = request;
    const isFirst = draft.isEmpty;
    const keyframe = draft.fill({ prompt, negative_prompt, ...(isFirst ? {} : { seed, guidance_scale }) });
    if (!keyframe) return full();
    if (isFirst) await desk.apply(Object.fromEntries(shared.map((name) => [name, request[name]])));
    draft.change(keyframe.id, { thumb: { address: pictures.file(id), of: keyOf(draft.get(keyframe.id)), picture: id } });
    return toast.show(t("animate.taken", { number: numberOf(keyframe.id) }), {
      label: t("animate.taken.instead"),
      run: () => attempt(() => asItIs({ id, prompt }, keyframe.id), t("refused.title")),
    });
  }

  return {
    keep,
    film,
    recipe,
    chooseFilm: () => input.click(),
    /** Pictures become keyframes. @param {File[]} list */
    async files(list) {
      for (const each of list) if (!(await keep(each))) return;
    },
    /** @param {import("../recipe.js").Picture} picture */
    from(picture) {
      rooms.go("animate");
      return attempt(() => (isPlain(picture.request) ? asWords(picture) : asItIs({ id: picture.id, prompt: picture.request.prompt })), t("refused.title"));
    },
    /** What is on the canvas. @param {import("../canvas/steps.js").Step} step */
    step({ hash, picture, prompt }) {
      rooms.go("animate");
      return attempt(() => asItIs({ id: picture ?? hash, prompt: picture ? prompt : "" }), t("refused.title"));
    },
  };
}
