// From what is on the canvas to jobs: picture and mask are handed over, the rest stands on the desk.
import { jobs } from "../api.js";
import { handMask, handSketch } from "./handover.js";

/** How many of the steps are run, as the server counts them. @param {number} steps @param {number} strength */
export const stepsRun = (steps, strength) => Math.max(Math.floor(steps * strength), strength > 0 ? 1 : 0);

/** Is the size that the desk holds asked for? Else the picture's own counts. @param {Record<string, any>} values */
export const isSized = ({ resize_mode, inpaint_area }, masked) => resize_mode !== "keep" || (masked && inpaint_area === "masked");

/** @param {{desk: any, hashOf: (step: any) => Promise<string>}} tools */
export function createOrders({ desk, hashOf }) {
  /** What stands on the desk, without a size that nobody asked for. */
  async function common(masked) {
    const { width, height, ...values } = await desk.collected();
    return isSized(values, masked) ? { ...values, width, height } : values;
  }

  return {
    /**
     * One order of the step that is worked on. @returns {Promise<any>} the job; ApiError when it is refused
     * @param {import("./steps.js").Step} step @param {import("./sheet.js").Sheet} sheet
     */
    async one(step, sheet) {
      const masked = Boolean(sheet.boundsOf("mask"));
      const values = await common(masked);
      values.init_image = await hashOf(step);
      if (sheet.boundsOf("sketch")) values.init_image = await handSketch(values.init_image, sheet.rasterOf("sketch"));
      if (masked) values.mask_image = await handMask(sheet.rasterOf("mask"));
      return jobs.order(values);
    },
    /**
     * The same for each of several pictures, without a mask. @param {import("./steps.js").Step[]} steps
     * @param {(step: import("./steps.js").Step, job: any) => void} onJob
     */
    async each(steps, onJob) {
      const values = await common(false);
      for (const step of steps) onJob(step, await jobs.order({ ...values, init_image: await hashOf(step) }));
    },
  };
}
