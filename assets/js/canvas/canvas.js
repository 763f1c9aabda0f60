// The Canvas tab: a picture, what is painted over it, and what becomes of it.
import { el, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { createNotice } from "../notice.js";
import { createStatus } from "../status.js";
import { receivePictures } from "./arrivals.js";
import { createCompare } from "./compare.js";
import { createFrame } from "./frame.js";
import { createGestures } from "./gestures.js";
import { handMaskFile, maskOf } from "./handover.js";
import { createKeys } from "./keys.js";
import { createPen } from "./pen.js";
import { createPreview } from "./preview.js";
import { createResults } from "./results.js";
import { createSettings } from "./settings.js";
import { createStrip } from "./strip.js";
import { createTools, rgbOf } from "./tools.js";
import { createView } from "./view.js";
import { createWelcome } from "./welcome.js";
import { maskByWords } from "./words.js";
import { createWork } from "./work.js";

/**
 * @param {HTMLElement} root
 * @param {{desk: any, rooms: any, watch: (id: string) => void, stop: () => void,
 *   animate: (step: import("./steps.js").Step) => void}} tools
 */
export function createCanvas(root, { desk, rooms, watch, stop, animate }) {
  const part = (name, ...more) => root.appendChild(el("div", { class: `stage-${name} canvas-${name}` }, ...more));
  const isHere = () => rooms.current === "canvas";
  root.classList.add("stage", "canvas");
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", t("tab.canvas"));

  root.append(el("h1", { class: "sr-only" }, t("tab.canvas")));
  const toolbar = part("tools");
  const middle = part("middle");
  const pane = middle.appendChild(el("div", { class: "canvas-pane", role: "application", tabIndex: 0, "aria-label": t("canvas.pane"), "aria-description": t("canvas.pane.help") }));
  const welcomePlace = middle.appendChild(el("div", { class: "welcome canvas-welcome" }));
  const pill = middle.appendChild(el("div", { class: "canvas-pill", role: "group", hidden: true }));
  const notice = createNotice(middle.appendChild(el("div", { class: "notice" })));
  const status = createStatus(part("status"), { onStop: stop });
  const strip = createStrip(part("strip"), { onShow: (id) => look(() => work.steps.show(id)) });

  const work = createWork({ onChange: draw });
  const view = createView(pane, paint);
  const preview = createPreview(view.redraw);
  const actions = {
    undo: () => work.sheet?.history.undo(),
    redo: () => work.sheet?.history.redo(),
    invert: () => (settle(), work.sheet?.invert()),
    clear: () => work.sheet?.clear(tools.set.layer),
  };
  const tools = createTools(toolbar, {
    ...actions, maskFile: maskFromFile, maskWords: maskFromWords, animate: () => work.steps.shown && animate(work.steps.shown), open: () => arrivals.choose(), zoom: view.zoom, fit: view.fit, changed: view.redraw,
  });
  const pen = createPen({ tools, sheet: () => work.sheet, redraw: view.redraw, rgb: () => rgbOf(tools.set.colour), say: (word) => status.say(t(word)) });
  const compare = createCompare(pane, { view, onChange: view.redraw });
  const settings = createSettings({ desk, work });
  const frame = createFrame(view.extent, { view, get: () => work.steps.base.margins, onDrag: stretch, onDone: (margins) => (stretch(margins), settings.write(margins)) });
  const results = createResults({ desk, work, status, notice, preview, watch, look });
  const arrivals = receivePictures(root, { desk, work, notice, rooms, look });
  const welcome = createWelcome(welcomePlace, { onChoose: arrivals.choose, onSheet: arrivals.sheet, onPicture: arrivals.picture });
  const keys = createKeys(pane, {
    isHere: () => isHere() && Boolean(work.picture), tools, view, pen,
    actions,
  });
  createGestures(pane, {
    view,
    moves: () => keys.holdsSpace || tools.set.tool === "hand",
    onStart(point, event) {
      settle();
      if (!work.sheet) return false;
      pen.start(point, event);
      return true;
    },
    onMove: pen.move, onEnd: pen.end, onCancel: pen.cancel,
    onHover: (point, event) => event?.pointerType !== "touch" && pen.hover(point),
  });
  pane.addEventListener("blur", pen.lift);

  /** A try that is painted on is what one goes on from. */
  function settle() {
    if (work.steps.isTry && work.picture?.id === work.steps.shown?.id) work.adopt();
  }

  /** Another step is seen; one that is gone is said. */
  async function look(change) {
    change?.();
    notice.hide();
    try {
      await work.open();
    } catch {
      notice.show({ title: t("canvas.gone"), text: t("canvas.gone.text") });
    }
  }

  function stretch(margins) {
    work.steps.change(work.steps.base.id, { margins });
    draw();
  }

  /** Is anything to be drawn beyond the picture's sides? */
  const isGrowing = () => Object.values(work.steps.base.margins).some(Boolean);

  async function maskFromFile(file) {
    settle();
    const { sheet } = work;
    if (!sheet) return;
    try {
      sheet.setMask(await handMaskFile(file, sheet));
    } catch (error) {
      notice.show({ title: t("canvas.refused"), text: error.message || t("lost.text") });
    }
  }

  /** What words name is masked as well; anything that was masked stays so. */
  async function maskFromWords(words) {
    settle();
    const { sheet, steps } = work;
    if (!sheet) return;
    const hash = await maskByWords(steps.base, words, desk.values.model);
    sheet.addMask(await maskOf(hash, sheet.width, sheet.height));
  }

  let seen = null; // the picture that the view was fitted to

  /** Everything that depends on what is worked on. */
  function draw() {
    const { picture, sheet, steps } = work;
    root.classList.toggle("has-board", Boolean(picture));
    toolbar.inert = !picture;
    pane.hidden = !picture;
    welcomePlace.hidden = Boolean(picture);
    if (!picture) return;
    view.setBounds(work.extent, seen !== picture.id);
    seen = picture.id;
    const layer = sheet?.boundsOf(tools.set.layer);
    tools.show({ side: Math.max(picture.width, picture.height), canUndo: sheet?.history.canUndo, canRedo: sheet?.history.canRedo, empty: !layer });
    frame.show(steps.base.margins, !steps.isTry);
    compare.show(work.before);
    strip.show(steps.all, { base: steps.base.id, shown: steps.shown.id });
    settings.look();
    drawPill();
  }

  let pillShows = "";

  /** What can be done with a try, or about a batch. */
  function drawPill() {
    const { steps, batch } = work;
    const key = `${steps.isTry} ${batch.length}`;
    if (key === pillShows) return;
    pillShows = key;
    const button = (word, run) => el("button", { type: "button", class: "quiet-button", onclick: run }, t(word));
    const several = batch.length > 1 && !steps.isTry;
    pill.hidden = !several && !steps.isTry;
    pill.replaceChildren(
      ...(steps.isTry ? [button("canvas.on", settle), button("canvas.back", () => look(() => steps.show(steps.base.id)))] : []),
      ...(several ? [el("span", {}, t("canvas.batch", { n: batch.length })), button("canvas.batch.not", () => ((work.batch = []), draw()))] : []),
    );
  }

  /** In the picture's own pixels. */
  function paint(context, scale) {
    const { picture, sheet } = work;
    if (!picture) return;
    const { left, top, right, bottom } = work.extent;
    context.fillStyle = "#8884";
    context.fillRect(left, top, right - left, bottom - top);
    context.drawImage(picture.at(scale), 0, 0, picture.width, picture.height);
    for (const { surface, step } of sheet?.overlays() ?? []) context.drawImage(surface, 0, 0, surface.width * step, surface.height * step);
    if (sheet) preview.paint(context, sheet.boundsOf("mask") && !isGrowing() ? sheet.overlays().at(-1) : null);
    compare.paint(context, scale);
    if (sheet) pen.paint(context, scale);
  }

  status.rest();
  draw();
  look().then(results.resume);
  return {
    enter: () => (work.picture ? view.fit() : welcome.look()),
    order: results.order,
    onJob: results.onJob,
    refused(why) {
      status.rest();
      if (why) notice.show(why);
    },
    lost: notice.lost,
    /** A picture of the gallery, to go on from. @type {(id: string, prompt: string) => Promise<boolean>} */
    take: arrivals.picture,
    /** A recipe's start picture and mask. @param {Record<string, any>} request */
    use: arrivals.recipe,
    files: arrivals.files,
  };
}
