// Puts the page's parts together. Gradio's page functions reach them through window.studioReady.
import { createActions } from "./actions.js";
import { createAnimate } from "./animate/animate.js";
import { receiveRecipes } from "./arrivals.js";
import { jobs, pictures, studio } from "./api.js";
import { createCanvas } from "./canvas/canvas.js";
import { createDesk } from "./desk.js";
import { factsOf, memory, whenThere } from "./dom.js";
import { createGallery } from "./gallery.js";
import { createLightbox } from "./lightbox.js";
import { t } from "./i18n.js";
import { teachManners } from "./manners.js";
import { createModels } from "./models.js";
import { createPrompting } from "./prompting.js";
import { createRecipes } from "./recipes.js";
import { createRooms } from "./rooms.js";
import { createShortcuts } from "./shortcuts.js";
import { createStage } from "./stage.js";
import { createToast } from "./toast.js";
import { createTopbar } from "./topbar.js";
import { createTranslation } from "./translation.js";
import { createWatcher } from "./watcher.js";

const byName = (list) => new Map(list.map((each) => [each.name, each]));
const KINDS = { models: "checkpoint", vaes: "vae", loras: "lora", upscalers: "upscaler", translators: "translator" };

async function start() {
  const places = ["top", "stage", "canvas", "animate", "gallery", "models", "desk", "film"].map((name) => whenThere(`#studio-${name}`));
  const [[top, easel, sheet, timeline, wall, shelf, desktop, film], found, samplers] = await Promise.all([
    Promise.all(places),
    studio.models(),
    studio.samplers().then(byName),
  ]);
  const installed = { models: new Map(), vaes: new Map(), loras: new Map(), upscalers: new Map(), translators: new Map(), samplers };
  sort(found);
  const { tabs } = factsOf(top);
  const toast = createToast();
  const desk = createDesk(factsOf(desktop), installed);
  const rooms = createRooms(tabs, (room) => {
    if (room !== "animate") animating?.leave();
    parts[room]?.enter?.();
  });
  const actions = createActions({ desk, toast, rooms, canvas: () => canvas(), animate: () => animate(), upscalers: installed.upscalers });
  const lightbox = createLightbox({ samplers, actions });
  const stage = createStage(easel, { samplers, actions, desk, lightbox });
  let painting = null;
  let animating = null;
  const watch = (id) => watcher.watch(id);
  const stylesOf = { put: () => {}, name: (id) => id };
  /** The canvas is set up once somebody wants it, and so is the timeline. */
  const canvas = () => (painting ??= createCanvas(sheet, { desk, rooms, watch, stop: () => stage.stop(), animate: (step) => animate().step(step) }));
  const animate = () => (animating ??= createAnimate(timeline, film, { desk, rooms, toast, installed, stylesOf, watch, goInstall }));
  /** The rooms that order for themselves, and take pictures for something else than their recipe. */
  const workrooms = { canvas: { get: canvas, drop: "canvas.drop" }, animate: { get: animate, drop: "animate.drop" } };
  const workroom = () => workrooms[rooms.current] ?? null;
  const recipes = createRecipes({ desk, stage, toast, rooms, canvas });
  const gallery = createGallery(wall, { actions, lightbox });
  const room = createModels(shelf, { first: factsOf(desktop).values.model, desk, rooms, toast, onChange: (list) => (learn(list), topbar.look()) });
  const parts = { canvas: { enter: () => canvas().enter() }, animate: { enter: () => animate().enter() }, gallery, models: room };
  const watcher = createWatcher({ onJob, onLost: (is) => (stage.lost(is), painting?.lost(is), animating?.lost(is)) });
  const shortcuts = createShortcuts({ stage: () => (rooms.current === "animate" ? animate() : stage), desk, rooms, actions, lightbox, gallery, models: room, tabs });
  const topbar = createTopbar(top, { onHelp: shortcuts.help });

  /** By kind and name, in the maps that the desk chooses from. */
  function sort(list) {
    for (const [name, kind] of Object.entries(KINDS)) {
      installed[name].clear();
      for (const each of list) if (each.kind === kind) installed[name].set(each.name, each);
    }
  }

  /** What is installed may change while the page is open. */
  function learn(list) {
    const names = () => JSON.stringify(Object.keys(KINDS).map((kind) => [...installed[kind].values()].map((each) => [each.name, each.problem])));
    const before = names();
    sort(list);
    if (names() !== before) desk.relist();
    translation?.look();
  }

  /** To the list of what can be installed. */
  function goInstall() {
    memory.set("models.view", "install");
    rooms.go("models");
  }

  let translation = null;
  const counts = new Map();
  function onJob(job) {
    if (job.kind === "animation") {
      animate().onJob(job);
      if (!counts.has(job.id) || job.finished) topbar.look();
      counts.set(job.id, 0);
      return;
    }
    stage.onJob(job);
    painting?.onJob(job);
    animating?.onJob(job);
    if (counts.get(job.id) !== job.picture_ids.length) gallery.outdated();
    if (!counts.has(job.id) || job.finished) topbar.look();
    counts.set(job.id, job.picture_ids.length);
  }

  Object.assign(desk.listeners, {
    ordered: stage.ordered,
    instead: () => workroom()?.get().order ?? null,
    refused: (why) => (workroom()?.get() ?? stage).refused(why),
    ticket(id) {
      stage.expect(id);
      watcher.watch(id);
    },
  });
  // From an action that left the lightbox open (use again, vary) the desk is where to look next.
  addEventListener("hashchange", () => (lightbox.close(), recipes.address()));
  receiveRecipes(recipes, {
    film: (file) => animate().film(file),
    room: () => workroom() && { words: t(workroom().drop), files: (files) => workroom().get().files(files) },
  });

  window.studioIsReady({ desk });
  const restored = desk.restore();
  teachManners(desk, { lastSeed: () => stage.current?.request.seed ?? null, goModels: () => rooms.go("models") });
  createPrompting(desk, { toast, installed, onQueued: (ids) => (stage.expect(ids[0]), ids.forEach(watcher.watch)) }).then((tools) => Object.assign(stylesOf, tools));
  translation = await createTranslation(desk, { ...installed, goInstall });
  rooms.enter();
  await Promise.all([restored, watcher.resume(), recall(stage), animating?.resumed]);
  stage.recall();
  await recipes.address();
  document.documentElement.dataset.ready = "yes";
}

/** The last pictures of this visitor, for the film strip: those that are still on the wall. */
async function recall(stage) {
  const [latest, wall] = await Promise.all([jobs.latest(), pictures.search({ limit: 200 })]).catch(() => [[], null]);
  const mine = new Set(latest.map((job) => job.id));
  for (const picture of wall?.pictures ?? []) if (mine.has(picture.job_id)) stage.hang(picture);
}

start();
