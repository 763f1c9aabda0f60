// From Generate to what comes of it: the picture is made where it will be, and becomes a step.
import { ApiError, jobs } from "../api.js";
import { t } from "../i18n.js";
import { pictureOf } from "../recipe.js";
import { boxAround } from "./area.js";
import { createOrders } from "./orders.js";

const ENDED = ["done", "failed", "cancelled"];

/**
 * @param {{desk: any, work: any, status: any, notice: any, preview: any, watch: (id: string) => void,
 *   look: (change?: () => void) => Promise<void>}} studio
 */
export function createResults({ desk, work, status, notice, preview, watch, look }) {
  const orders = createOrders({ desk, hashOf: work.hashOf });
  const { steps } = work;
  let ordering = false;
  let running = null;
  let latest = ""; // the job that was ordered last: its first picture is shown when it comes

  function expect(step, job) {
    steps.pending.set(job.id, step.id);
    latest = job.id;
    work.save();
    watch(job.id);
  }

  /** Generate was pressed in this room. */
  async function order() {
    const { base } = steps;
    const { batch } = work;
    if (!base) return notice.show({ title: t("canvas.none"), text: t("canvas.none.text") });
    if (ordering) return undefined;
    ordering = true;
    notice.hide();
    if (!running) status.ordered();
    try {
      if (steps.isTry) await look(() => steps.show(base.id));
      if (!work.sheet) return undefined; // its picture is gone, which was said
      if (batch.length > 1) await orders.each(batch, expect);
      else expect(base, await orders.one(base, work.sheet));
    } catch (error) {
      refused(error);
    } finally {
      ordering = false;
    }
    return undefined;
  }

  function refused(error) {
    if (!(error instanceof ApiError)) throw error;
    if (!running) status.rest();
    const known = error.problems?.filter(({ field }) => desk.has(field)) ?? [];
    if (known.length) desk.problems(known);
    else if (error.status) notice.show({ title: t("refused.title"), text: error.message });
    else notice.show({ title: t("lost.title"), text: t("lost.text") });
  }

  /** What a job has come to. */
  function onJob(job) {
    const parent = steps.pending.get(job.id);
    const works = !ENDED.includes(job.state);
    if (works && (job.state === "running" || !running || running.id === job.id)) running = job;
    const concerns = running?.id === job.id || latest === job.id;
    if (!works && running?.id === job.id) running = null;
    if (running) status.show(running);
    else if (!ordering) status.rest(concerns ? t(`farewell.${job.state}`, { n: job.picture_ids.length }) : "");
    if (parent === undefined || !steps.get(parent)) return;
    take(job, parent);
    const box = works && steps.base?.id === parent && job.preview_version ? placeOf(job.request) : null;
    preview.show(box ? jobs.preview(job.id, job.preview_version) : "", box);
    if (works) return;
    steps.pending.delete(job.id);
    work.save();
    if (job.state === "failed") notice.show({ title: t("failed.title"), text: job.error ?? "", kept: t("failed.settings"), retry: order });
  }

  /** Where a running job's picture will be, in the pixels of what is worked on; null where that cannot be said. */
  function placeOf(request) {
    const { sheet, extent } = work;
    const mask = sheet?.boundsOf("mask");
    if (!sheet || request.resize_mode !== "keep") return null;
    if (!request.mask_image || request.inpaint_area === "whole") return extent;
    return mask && extent.left === 0 && extent.top === 0 ? boxAround(mask, request, sheet) : null;
  }

  /** Every picture of a job is a try of the step it was made from. */
  function take(job, parent) {
    const fresh = job.picture_ids.filter((id) => !steps.all.some((step) => step.picture === id && step.parent === parent));
    const { resize_mode, outpaint_left, outpaint_top } = job.request;
    const at = resize_mode === "keep" ? [outpaint_left, outpaint_top] : null;
    const first = fresh.map((id) => steps.add({ picture: id, parent, at, prompt: pictureOf(job, id).request.prompt }))[0];
    if (!first) return;
    const follows = job.id === latest && !steps.isTry && steps.base?.id === parent;
    look(() => follows && steps.show(first.id));
  }

  return {
    order,
    onJob,
    /** Jobs that were not done when the page was left. */
    async resume() {
      for (const id of steps.pending.keys()) {
        const job = await jobs.get(id).catch(() => null);
        if (!job) steps.pending.delete(id);
        else if (ENDED.includes(job.state)) onJob(job);
        else watch(id);
      }
    },
  };
}
