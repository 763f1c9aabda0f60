// Where pictures come in: chosen, dropped, pasted, sent from elsewhere on the page, or named by a recipe.
import { sources } from "../api.js";
import { el } from "../dom.js";
import { t } from "../i18n.js";
import { handPicture, handSheet, maskOf } from "./handover.js";

const MOST = 64; // pictures in one batch

/**
 * @param {HTMLElement} root
 * @param {{desk: any, work: any, notice: any, rooms: any, look: (change?: () => void) => Promise<void>}} studio
 */
export function receivePictures(root, { desk, work, notice, rooms, look }) {
  const input = el("input", { type: "file", accept: "image/*", multiple: true, hidden: true, tabIndex: -1, onchange: chosen });
  root.append(input);

  function chosen() {
    const list = [...input.files];
    input.value = "";
    files(list);
  }

  const refused = (error, name) => notice.show({ title: name ? t("canvas.refused.name", { name }) : t("canvas.refused"), text: error.message || t("lost.text") });

  /** Whether it worked; where the server refuses, its sentence is shown and nothing is changed. */
  async function attempt(run) {
    root.classList.add("is-taking");
    try {
      await run();
      return true;
    } catch (error) {
      refused(error);
      return false;
    } finally {
      root.classList.remove("is-taking");
    }
  }

  /** Files become pictures to work on: one, or several together. @param {File[]} list */
  async function files(list) {
    const steps = [];
    const bad = [];
    root.classList.add("is-taking");
    for (const file of list.slice(0, MOST)) {
      await handPicture(file).then(
        ({ hash }) => steps.push(work.steps.add({ hash, prompt: file.name })),
        (error) => bad.push([file, error]),
      );
    }
    root.classList.remove("is-taking");
    if (steps.length) {
      work.steps.workOn(steps[0].id);
      work.batch = steps.length > 1 ? steps : [];
      await look();
    }
    if (bad.length === 1) refused(bad[0][1], bad[0][0].name);
    else if (bad.length) notice.show({ title: t("canvas.refused"), list: bad.map(([file, error]) => `${file.name}: ${error.message || t("lost.text")}`) });
  }

  /** A kept picture is worked on; the same one is not taken twice in a row. */
  async function begin(step) {
    work.batch = [];
    const known = work.steps.all.find((each) => each.hash === step.hash);
    if (known) work.steps.workOn(known.id);
    else work.begin(step);
    await look();
  }

  return {
    files,
    choose: () => input.click(),
    /** An even sheet in the shape that the desk holds, to draw on. */
    sheet: () =>
      attempt(async () => {
        const { width, height } = desk.values;
        const { hash } = await handSheet(width || 512, height || 512, "#f4f1ea");
        await begin({ hash, prompt: t("canvas.sheet") });
      }),
    /** @param {string} id a picture of the gallery @param {string} [prompt] */
    picture: (id, prompt = "") =>
      attempt(async () => {
        rooms.go("canvas");
        const { hash } = await sources.keep({ image: id });
        await begin({ hash, picture: id, prompt });
      }),
    /** What a recipe started from. @param {Record<string, any>} request */
    recipe: (request) =>
      attempt(async () => {
        rooms.go("canvas");
        const { hash, width, height } = await sources.keep({ image: request.init_image });
        const margins = Object.fromEntries(["left", "top", "right", "bottom"].map((side) => [side, request[`outpaint_${side}`] ?? 0]));
        await begin({ hash });
        work.steps.change(work.steps.base.id, { margins });
        work.sheet?.clear("sketch");
        if (request.mask_image) work.sheet?.setMask(await maskOf(request.mask_image, width, height));
        else work.sheet?.clear("mask");
        await look();
      }),
  };
}
