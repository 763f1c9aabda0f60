// The Animate tab: keyframes on a timeline, and the film that becomes of them.
import { ApiError, animations } from "../api.js";
import { el, factsOf } from "../dom.js";
import { t } from "../i18n.js";
import { createNotice } from "../notice.js";
import { createStatus } from "../status.js";
import { wordsFor } from "../translation.js";
import { receive } from "./arrivals.js";
import { createDraft } from "./draft.js";
import { createFilms } from "./films.js";
import { frameCount, keyFrames, playedOrder, wholeKeyframes } from "./moments.js";
import { createOrders } from "./orders.js";
import { createPlayer } from "./player.js";
import { createRefusals } from "./refusals.js";
import { createSettings } from "./settings.js";
import { createSketches } from "./sketches.js";
import { createTimeline } from "./timeline.js";
import { createWelcome } from "./welcome.js";

/**
 * @param {HTMLElement} root @param {HTMLElement} settingsPlace
 * @param {{desk: any, rooms: any, toast: any, installed: any, stylesOf: any, watch: (id: string) => void, goInstall: () => void}} tools
 */
export function createAnimate(root, settingsPlace, { desk, rooms, toast, installed, stylesOf, watch, goInstall }) {
  const facts = { ...factsOf(root), film: factsOf(settingsPlace).fields };
  const part = (name, ...more) => root.appendChild(el("div", { class: `stage-${name} animate-${name}` }, ...more));
  root.classList.add("stage", "animate");
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", t("tab.animate"));
  root.append(el("h1", { class: "sr-only" }, t("tab.animate")));
  const status = createStatus(part("status"), { onStop: () => films.stop() });
  const middle = part("middle");
  const screen = middle.appendChild(el("div", { class: "player-screen" }));
  const welcomePlace = middle.appendChild(el("div", { class: "welcome animate-welcome" }));
  const notice = createNotice(middle.appendChild(el("div", { class: "notice" })));
  const player = createPlayer(screen, part("player"));
  const places = { label: part("label"), strip: part("strip") };
  const timelinePlace = root.appendChild(el("section", { class: "timeline", "aria-label": t("animate.timeline") }));

  const draft = createDraft(facts, () => draw());
  const orders = createOrders({ draft, desk, shared: facts.shared, english: (id) => timeline.card(id).english() });
  const sketches = createSketches({ draft, desk, orders, toast, watch });
  const settings = createSettings(settingsPlace, facts.film, { draft, notice });
  const timeline = createTimeline(timelinePlace, {
    draft, facts, desk, sketches, status, toast, stylesOf, goInstall, drawNow: () => drawNow(), wordsFor: () => wordsFor(desk.values.model, installed), takePicture: (file, id) => arrivals.keep(file, id),
  });
  const arrivals = receive(root, { draft, desk, rooms, toast, notice, installed, keyOf: sketches.keyOf, shared: facts.shared });
  const refuse = createRefusals({ draft, desk, timeline, settings, notice, shared: facts.shared });
  const films = createFilms(places, { player, status, notice, toast, draft, watch, onChange: () => (faces(), draw()), onRecipe: (recipe) => arrivals.recipe(recipe) });
  createWelcome(welcomePlace, { examples: facts.examples, onTry: (recipe) => arrivals.recipe(recipe, { then: order }), onWords: timeline.focusFirst, onFilm: arrivals.chooseFilm });
  let ordering = false;
  let drawing = 0;
  /** What was handed in from this timeline: of which words each keyframe was. */
  let made = { id: "", of: new Map() };

  /** Once for all that changes in one go. */
  function draw() {
    drawing ||= requestAnimationFrame(drawNow);
  }

  function drawNow() {
    cancelAnimationFrame(drawing);
    drawing = 0;
    settings.draw();
    timeline.draw(comesTo());
    root.classList.toggle("has-board", Boolean(films.current));
    welcomePlace.hidden = Boolean(films.current);
  }

  /** The film's own frames show what its keyframes look like. */
  function faces() {
    const { current } = films;
    if (!current || current.id !== made.id || made.of.size !== current.recipe.keyframes.length) return;
    const starts = keyFrames({ keyframes: wholeKeyframes(current.recipe) });
    [...made.of].forEach(([id, of], place) => {
      const keyframe = draft.get(id);
      if (!keyframe || keyframe.picture || keyframe.thumb?.of === of || current.frames_done <= starts[place]) return;
      draft.change(id, { thumb: { address: animations.frame(current.id, starts[place]), of, picture: null } });
    });
  }

  /** How long the film will be, in words; nothing while that cannot be said. */
  function comesTo() {
    const course = { ...draft.film, keyframes: draft.keyframes };
    if (!draft.keyframes.every(({ frames, hold }) => Number.isInteger(frames) && frames > 0 && frames <= 10_000 && Number.isInteger(hold) && hold <= 10_000)) return "";
    const frames = frameCount(course);
    if (frames > 20_000) return "";
    return t("animate.sum", { n: frames, seconds: (playedOrder(course).length / (Number(draft.film.fps) || 1)).toFixed(1) });
  }

  /** Generate was pressed in this room. */
  async function order() {
    if (ordering) return undefined;
    if (draft.isEmpty) {
      timeline.focusFirst();
      return notice.show({ title: t("animate.empty"), text: t("animate.empty.text") });
    }
    ordering = true;
    notice.hide();
    timeline.clear();
    settings.clear();
    if (!films.works) status.ordered();
    try {
      await desk.settled();
      const of = new Map(draft.keyframes.map((each) => [each.id, sketches.keyOf(each)]));
      const job = await animations.order(await orders.animation());
      made = { id: job.id, of };
      await films.begin(job.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!films.works) status.rest();
      refuse(error);
    } finally {
      ordering = false;
    }
    return undefined;
  }

  desk.watch(() => draw());
  status.rest();
  draw();
  const resumed = films.resume().then(sketches.resume);
  return {
    order,
    resumed,
    enter: () => draw(),
    leave: player.pause,
    toggle: player.toggle,
    stop: films.stop,
    get works() {
      return films.works;
    },
    get current() {
      return null;
    },
    onJob(job) {
      if (job.kind === "animation") films.onJob(job);
      else sketches.onJob(job);
    },
    refused(why) {
      if (!films.works) status.rest();
      if (why) notice.show(why);
    },
    lost: notice.lost,
    files: arrivals.files,
    film: arrivals.film,
    from: arrivals.from,
    step: arrivals.step,
  };
}
