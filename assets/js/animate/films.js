// The animation on the screen, and this visitor's others: watched, stopped, resumed, played, thrown away.
import { animations, jobs } from "../api.js";
import { el, iconButton, keepLoading } from "../dom.js";
import { count, duration, t } from "../i18n.js";
import { roving } from "../roving.js";
import { frameCount, playedOrder, wholeKeyframes } from "./moments.js";

const ENDED = ["done", "failed", "cancelled"];
const VIDEOS = ["mp4", "webm"];

/**
 * @param {{label: HTMLElement, strip: HTMLElement}} places
 * @param {{player: any, status: any, notice: any, toast: any, draft: any, watch: (id: string) => void, onChange: () => void,
 *   onRecipe: (recipe: Record<string, any>) => void}} tools
 */
export function createFilms({ label, strip }, { player, status, notice, toast, draft, watch, onChange, onRecipe }) {
  const row = el("div", { class: "strip-row", role: "group", "aria-label": t("animate.films") });
  strip.append(row);
  const walk = roving(row, ".frame", { onWalk: (frame) => frame.click() });
  /** Newest first. @type {any[]} */
  let list = [];
  let current = null;
  let preview = "";

  const isActive = (each) => Boolean(each) && !ENDED.includes(each.state);

  async function attempt(work) {
    try {
      await work();
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  }

  function course({ recipe }) {
    return { ...recipe, keyframes: wholeKeyframes(recipe) };
  }

  /** What the player needs of it. */
  function reelOf(animation) {
    const { id, recipe, frames_done: done, frames_total: total } = animation;
    const ready = animation.film && !isActive(animation);
    const order = ready ? playedOrder(course(animation), done) : Array.from({ length: done }, (_, frame) => frame);
    return {
      key: id, order, total: ready ? order.length : total, frame: (k) => animations.frame(id, k),
      film: ready && VIDEOS.includes(recipe.format) ? animations.film(animation) : null,
      fps: recipe.fps, loop: recipe.loop || recipe.ping_pong, width: animation.width, height: animation.height,
      ready: Boolean(ready), sound: Boolean(recipe.sound), alt: wordsOf(animation), preview, autoplay: !recipe.sound && document.documentElement.dataset.room === "animate",
    };
  }

  const wordsOf = ({ recipe }) => wholeKeyframes(recipe).map(({ prompt }) => prompt || t("animate.face.picture")).join(" → ");

  function draw() {
    player.show(current ? reelOf(current) : null);
    drawLabel();
    drawStrip();
    onChange();
  }

  let labelShows = "";

  function drawLabel() {
    const key = current ? JSON.stringify([current.id, current.state, current.frames_done, current.film]) : "";
    if (key === labelShows) return;
    labelShows = key;
    if (!current) return label.replaceChildren();
    const { recipe, frames_done: done, frames_total: total, width, height } = current;
    const active = isActive(current);
    const facts = [
      t(done < total ? "animate.fact.part" : "animate.fact.frames", { n: count(done), total: count(total) }),
      duration(playedOrder(course(current)).length / recipe.fps),
      `${width} × ${height}`,
      recipe.format.toUpperCase(),
    ];
    const resume = iconButton("play", t("animate.resume"), () => attempt(resumeIt), { text: true, class: "film-resume" });
    const again = iconButton("again", t("animate.recipe"), () => onRecipe(recipe), { text: true });
    const download = el("a", { class: "icon-button", href: animations.film(current, true), download: "", "aria-label": t("animate.download"), title: t("animate.download") }, iconButton("download", "", () => {}).firstElementChild);
    label.replaceChildren(
      el("div", { class: "label-text" }, el("p", { class: "label-prompt", lang: "" }, wordsOf(current)), el("ul", { class: "facts" }, ...facts.map((fact) => el("li", {}, fact)))),
      el("div", { class: "actions" }, ...(active || current.whole ? [] : [resume]), again, ...(current.film && !active ? [download] : []), ...(active ? [] : [iconButton("bin", t("animate.delete"), remove)])),
    );
    return undefined;
  }

  let stripShows = "";

  function drawStrip() {
    const seen = list.filter((each) => each.frames_done);
    const key = JSON.stringify(seen.map(({ id }) => id));
    if (key !== stripShows) row.replaceChildren(...seen.map(frameOf));
    stripShows = key;
    for (const frame of row.children) {
      if (frame.dataset.id === current?.id) frame.setAttribute("aria-current", "true");
      else frame.removeAttribute("aria-current");
    }
    strip.classList.toggle("has-pictures", seen.length > 1 || (seen.length === 1 && seen[0].id !== current?.id));
    walk.refresh();
  }

  function frameOf(animation) {
    const image = el("img", { alt: "", loading: "lazy", draggable: false });
    keepLoading(image, animations.frame(animation.id, 0));
    return el("button", { type: "button", class: "frame", "data-id": animation.id, "aria-label": t("animate.film.show", { prompt: wordsOf(animation) }), onclick: () => show(animation.id) }, image);
  }

  /** Another one on the screen. @param {string|null} id */
  function show(id) {
    current = list.find((each) => each.id === id) ?? null;
    preview = "";
    notice.hide();
    if (draft.shown !== (current?.id ?? null)) draft.shown = current?.id ?? null;
    tellStatus();
    draw();
  }

  /** What runs is told even while another film is looked at. */
  function tellStatus(farewell = "") {
    const running = isActive(current) ? current : list.find((each) => each.state === "running");
    if (!running) return status.rest(farewell);
    return status.show({ ...running, measuring: running.recipe.even_pacing && !running.frames_done });
  }

  async function refresh() {
    list = await animations.list();
  }

  /** What is known of one anew. @param {any} animation */
  function learn(animation) {
    list = list.some(({ id }) => id === animation.id) ? list.map((each) => (each.id === animation.id ? animation : each)) : [animation, ...list];
    if (current?.id === animation.id) current = animation;
  }

  async function resumeIt() {
    const animation = await animations.resume(current.id);
    notice.hide();
    learn(animation);
    tellStatus();
    draw();
    watch(animation.id);
  }

  /** The first press asks, the second does it. */
  async function remove(event) {
    const button = event.currentTarget;
    if (button.dataset.sure !== "yes") {
      button.dataset.sure = "yes";
      toast.show(t("animate.delete.sure"), { label: t("animate.delete"), run: () => attempt(forget) });
      setTimeout(() => delete button.dataset.sure, 8000);
      return;
    }
    await attempt(forget);
  }

  async function forget() {
    const { id } = current;
    await animations.remove(id);
    const place = list.findIndex((each) => each.id === id);
    list = list.filter((each) => each.id !== id);
    show((list[place] ?? list.at(-1))?.id ?? null);
  }

  async function onJob(job) {
    const known = list.find(({ id }) => id === job.id);
    if (!known) return undefined;
    const done = Math.max(known.frames_done, job.frames_done);
    const { state, note, error, step, steps, seconds_left, steps_per_second, queue_position } = job;
    learn({ ...known, frames_done: done, state, note, error, step, steps, seconds_left, steps_per_second, queue_position });
    if (job.id === current?.id && job.preview_version && !done) preview = jobs.preview(job.id, job.preview_version);
    if (!ENDED.includes(state)) {
      tellStatus();
      return draw();
    }
    learn(await animations.get(job.id).catch(() => known));
    preview = "";
    const shows = job.id === current?.id;
    tellStatus(shows ? t(`animate.farewell.${state}`, { n: current.frames_done }) : "");
    if (shows && state === "failed") {
      const kept = current.frames_done ? t("animate.failed.kept", { n: current.frames_done }) : t("failed.settings");
      notice.show({ title: t("animate.failed"), text: job.error ?? "", kept, action: { label: t("animate.resume"), run: () => attempt(resumeIt) } });
    }
    return draw();
  }

  return {
    onJob,
    show,
    get current() {
      return current;
    },
    get works() {
      return isActive(current) || list.some(isActive);
    },
    stop() {
      const running = isActive(current) ? current : list.find(isActive);
      if (!running) return;
      status.stopping();
      attempt(() => animations.stop(running.id));
    },
    /** One that was just handed in. @param {string} id */
    async begin(id) {
      learn(await animations.get(id));
      show(id);
      watch(id);
    },
    /** As left at the last visit; what still runs is found again. */
    async resume() {
      await refresh().catch(() => {});
      const active = list.filter(isActive);
      active.forEach(({ id }) => watch(id));
      const wanted = list.find(({ id }) => id === draft.shown) ?? active.at(-1) ?? list[0];
      if (wanted) show(wanted.id);
      else draw();
    },
    /** The frame of a keyframe, once there is one. @param {number} place */
    frameCount: () => (current ? frameCount(course(current)) : 0),
  };
}
