// The stage: what is on the easel, from the first click to the finished picture.
import { jobs } from "./api.js";
import { el, factsOf } from "./dom.js";
import { createEasel } from "./easel.js";
import { createFilmstrip } from "./filmstrip.js";
import { t } from "./i18n.js";
import { createLabel } from "./label.js";
import { createNotice } from "./notice.js";
import { pictureOf } from "./recipe.js";
import { createStatus } from "./status.js";
import { createWelcome } from "./welcome.js";

const ENDED = ["done", "failed", "cancelled"];

/**
 * @param {HTMLElement} root
 * @param {{samplers: Map<string, any>, actions: any, desk: any, lightbox: any}} tools
 */
export function createStage(root, { samplers, actions, desk, lightbox }) {
  const part = (name) => root.appendChild(el("div", { class: `stage-${name}` }));
  root.classList.add("stage");
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", t("stage"));
  const status = createStatus(part("status"), { onStop: stop });
  const middle = part("middle");
  const notice = createNotice(middle.appendChild(el("div", { class: "notice" })));
  const welcome = createWelcome(middle.appendChild(el("div", { class: "welcome" })), {
    examples: factsOf(root).examples ?? [],
    onTry: (prompt) => desk.make({ prompt }),
  });
  const easel = createEasel(middle.appendChild(el("div", { class: "easel" })), { onSelect: select, onOpen: open });
  const label = createLabel(part("label"), { samplers, actions });
  const strip = createFilmstrip(part("strip"), { onShow: showPicture, onLive: follow });

  /** Every picture of this session, newest first. @type {import("./recipe.js").Picture[]} */
  let hung = [];
  let job = null; // the job on the easel
  let alone = null; // or a single picture
  let running = null; // the job that works now, on the easel or not
  let following = true;
  let wanted = null; // the job that was ordered last
  let selected = 0;
  let cellsShown = [];

  function stop() {
    if (!running) return;
    status.stopping();
    jobs.cancel(running.id).catch(() => {});
  }

  function follow() {
    following = true;
    if (running) showJob(running);
  }

  function showJob(next, instant = false) {
    if (job?.id !== next.id) selected = 0;
    [job, alone] = [next, null];
    draw(instant);
  }

  function showPicture(id) {
    alone = hung.find((picture) => picture.id === id) ?? null;
    if (!alone) return;
    following = false;
    notice.hide();
    draw(true);
  }

  function select(index) {
    selected = index;
    draw(true);
  }

  function open(index) {
    const id = alone?.id ?? cellsShown[index]?.id;
    if (id) lightbox.open(hung, hung.findIndex((picture) => picture.id === id));
  }

  function draw(instant) {
    welcome.hide();
    root.classList.add("has-board");
    alone ? drawAlone() : drawJob(instant);
  }

  function drawAlone() {
    const { width, height, request, id } = alone;
    easel.show({ key: id, width, height, prompt: request.prompt, selected: 0, cells: [{ id }], instant: true });
    label.show(request, alone);
    strip.mark(id);
  }

  function drawJob(instant) {
    const { request } = job;
    const { width, height } = pictureOf(job, `${job.id}-0`);
    const cells = Array.from({ length: request.num_images }, () => ({ id: null }));
    for (const id of job.picture_ids) cells[pictureOf(job, id).index].id = id;
    const shown = ENDED.includes(job.state) ? cells.filter((cell) => cell.id) : cells;
    cellsShown = shown;
    if (!shown.length) return empty();
    const id = shown[selected]?.id;
    const working = job.state === "running" || job.state === "queued";
    easel.show({
      key: `${job.id}/${shown.length}`,
      width,
      height,
      prompt: request.prompt,
      selected: id ? selected : -1,
      cells: shown,
      working,
      instant,
      preview: working && job.preview_version ? jobs.preview(job.id, job.preview_version) : "",
    });
    const picture = hung.find((each) => each.id === id) ?? null;
    label.show(picture?.request ?? request, picture);
    strip.mark(working ? "live" : (id ?? "live"));
    return undefined;
  }

  function empty() {
    easel.clear();
    label.clear();
    [job, alone] = [null, null];
    if (hung.length) showPicture(hung[0].id);
    else {
      root.classList.remove("has-board");
      welcome.show();
    }
  }

  function hang(picture) {
    if (hung.some((other) => other.id === picture.id)) return;
    hung = [picture, ...hung].sort((a, b) => b.created - a.created || b.index - a.index);
    strip.add(picture);
  }

  /** What a job has come to; the one that runs is followed unless another picture was chosen. */
  function onJob(next) {
    const before = running;
    for (const id of next.picture_ids) hang(pictureOf(next, id));
    const works = !ENDED.includes(next.state);
    if (works && (next.state === "running" || !before || before.id === next.id)) running = next;
    if (!works && before?.id === next.id) running = null;
    // A short job may have ended before it was ever seen at work.
    const concerns = before?.id === next.id || (!running && wanted === next.id);
    if (!works && wanted === next.id) wanted = null;
    strip.live(running);
    if (running) status.show(running);
    else status.rest(concerns ? farewell(next) : "");
    if (following && (running === next || concerns || job?.id === next.id)) showJob(next);
    if (next.state === "failed" && concerns) failed(next);
  }

  function failed(next) {
    const kept = next.picture_ids.length;
    notice.show({
      title: t("failed.title"),
      text: next.error ?? "",
      kept: kept ? t("failed.kept", { n: kept }) : t("failed.settings"),
      retry: desk.generate,
    });
  }

  function farewell(next) {
    return t(`farewell.${next.state}`, { n: next.picture_ids.length });
  }

  actions.listen((what, which) => {
    for (const picture of which) {
      if (what === "favourite") hung = hung.map((each) => (each.id === picture.id ? { ...each, ...picture } : each));
      if (what === "restored" && (job || alone || hung.length)) hang(picture);
      if (what === "binned") takeDown(picture.id);
    }
    if (alone) alone = hung.find((picture) => picture.id === alone.id) ?? null;
    if (alone || (job && what === "favourite")) draw(true);
  });

  function takeDown(id) {
    hung = hung.filter((picture) => picture.id !== id);
    strip.remove(id);
    if (job) job = { ...job, picture_ids: job.picture_ids.filter((each) => each !== id) };
    if (alone?.id === id || (job && ENDED.includes(job.state) && !alone)) {
      if (job?.picture_ids.length && !alone) draw(true);
      else empty();
    }
  }

  status.rest();
  return {
    onJob,
    hang,
    stop,
    get works() {
      return Boolean(running);
    },
    /** The picture under discussion, for the shortcuts. */
    get current() {
      const id = alone?.id ?? (job && cellsShown[selected]?.id);
      return hung.find((picture) => picture.id === id) ?? null;
    },
    /** The last finished pictures, after a reload. */
    recall() {
      if (!job && !alone && !running && hung.length) {
        showPicture(hung[0].id);
        following = true;
      }
    },
    /** Something moves as soon as Generate is pressed. */
    ordered() {
      following = true;
      notice.hide();
      if (!running) status.ordered();
    },
    /** What was ordered is this job. @param {string} id */
    expect(id) {
      wanted = id;
    },
    /** What was ordered will not come. @param {any} [why] */
    refused(why) {
      if (!running) status.rest();
      if (why) notice.show(why);
    },
    /** Something to read in peace. @param {any} words as a notice takes them */
    say: notice.show,
    lost: notice.lost,
  };
}
