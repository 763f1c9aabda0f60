// The thin line along the stage's upper edge, the figures under it, Stop, and the live region.
import { el } from "./dom.js";
import { count, duration, t } from "./i18n.js";

const CALM = 4000; // milliseconds between two things said to a screen reader

/** @param {HTMLElement} root @param {{onStop: () => void}} listener */
export function createStatus(root, { onStop }) {
  const bar = el("div", { class: "line-done" });
  const line = el("div", { class: "line", role: "progressbar", "aria-label": t("status.progress") }, bar);
  const words = el("span", { class: "status-words" });
  const left = el("span", { class: "status-figure" });
  const speed = el("span", { class: "status-figure" });
  const stop = el(
    "button",
    { type: "button", class: "quiet-button stop", onclick: onStop, "aria-keyshortcuts": "Escape" },
    t("stop"),
    el("kbd", {}, "Esc"),
  );
  const row = el("div", { class: "status" }, el("p", { class: "status-text" }, words, left, speed), stop);
  const live = el("p", { class: "sr-only", role: "status", "aria-live": "polite" });
  root.append(line, row, live);
  let said = 0;
  let last = "";

  function say(text, now = false) {
    if (text === last || (!now && Date.now() - said < CALM)) return;
    said = Date.now();
    last = text;
    live.textContent = text;
  }

  function show(job) {
    const share = job.steps ? job.step / job.steps : 0;
    root.dataset.state = job.state;
    line.classList.toggle("is-waiting", job.state !== "running" || !job.step);
    line.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    line.setAttribute("aria-valuetext", sentence(job));
    bar.style.transform = `scaleX(${share})`;
    words.textContent = sentence(job);
    left.textContent = job.state === "running" && job.seconds_left != null && job.step
      ? t("status.left", { time: duration(job.seconds_left) }) : "";
    speed.textContent = job.state === "running" && job.steps_per_second && job.step
      ? t("status.speed", { n: job.steps_per_second.toFixed(1) }) : "";
    stop.disabled = false;
    say(sentence(job), !job.step);
  }

  return {
    show,
    /** Within 100 ms of the click, before the server has said anything. */
    ordered: () => show({ state: "queued", note: "", step: 0, steps: 0, queue_position: null }),
    stopping() {
      stop.disabled = true;
      words.textContent = t("status.stopping");
      left.textContent = speed.textContent = "";
    },
    /** Nothing runs. @param {string} [farewell] said to a screen reader */
    rest(farewell = "") {
      root.dataset.state = "rest";
      line.removeAttribute("aria-valuenow");
      words.textContent = left.textContent = speed.textContent = "";
      bar.style.transform = "scaleX(0)";
      if (farewell) say(farewell, true);
    },
    /** Something of the page's own to a screen reader. @param {string} text */
    say: (text) => say(text, true),
  };
}

/** Where a job is, in one short sentence. */
function sentence(job) {
  if (job.state === "running" && job.frames_total && job.step) {
    return t("status.frame", { frame: count(job.frames_done), frames: count(job.frames_total) });
  }
  if (job.state === "running" && job.step) {
    return t("status.step", { step: count(job.step), steps: count(job.steps) });
  }
  if (job.note) return job.note; // said by the server in the page's language
  if (job.state === "queued" && job.queue_position > 1) return t("status.queued", { n: job.queue_position - 1 });
  return t(job.state === "queued" ? "status.next" : "status.starting");
}
