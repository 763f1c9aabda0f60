// Follows this visitor's jobs by asking again and again: no held connection, so it works anywhere.
import { ApiError, jobs } from "./api.js";

const RUNNING = 200;
const WAITING = 500;
const HIDDEN = 1000;
const LOST = 1500;

/**
 * @param {{onJob: (job: any) => void, onLost: (lost: boolean) => void}} listener
 *   onJob is told of every state a followed job is seen in, its last one included.
 */
export function createWatcher({ onJob, onLost }) {
  const followed = new Set();
  let timer = 0;
  let asking = false;

  async function look() {
    const listed = await jobs.active();
    for (const job of listed) followed.add(job.id);
    const seen = new Map(listed.map((job) => [job.id, job]));
    const states = [];
    for (const id of followed) {
      const job = seen.get(id) ?? (await jobs.get(id).catch(forgotten));
      if (!job || !["queued", "running"].includes(job.state)) followed.delete(id);
      if (job) states.push(job);
    }
    // The one that runs is told last: it is the one to look at.
    states.sort((one, other) => Number(one.state === "running") - Number(other.state === "running"));
    states.forEach(onJob);
    return states.some((job) => job.state === "running");
  }

  async function tick() {
    if (asking) return;
    asking = true;
    let pause = WAITING;
    try {
      const running = await look();
      onLost(false);
      pause = document.hidden ? HIDDEN : running ? RUNNING : WAITING;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      onLost(true);
      pause = LOST;
    } finally {
      asking = false;
    }
    clearTimeout(timer);
    if (followed.size || pause === LOST) timer = setTimeout(tick, pause);
  }

  document.addEventListener("visibilitychange", () => followed.size && !document.hidden && tick());

  return {
    /** Follow one more job. @param {string} id */
    watch(id) {
      followed.add(id);
      clearTimeout(timer);
      return tick();
    },
    /** Find the jobs that already run, after a reload. */
    resume: tick,
    get active() {
      return [...followed];
    },
  };
}

/** A job that the server no longer knows is simply not followed any more. */
function forgotten(error) {
  if (error.status === 404) return null;
  throw error;
}
