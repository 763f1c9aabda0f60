// What a picture is made of, from what the server says about jobs and pictures.

/**
 * @typedef {{id: string, job_id: string, index: number, width: number, height: number,
 *   favourite: boolean, created: number, trashed?: number|null, sized?: boolean, request: Record<string, any>}} Picture
 */

const SEEDS = 2 ** 32;

/** The number of a picture in its job; a picture's id is "<job>-<index>". @param {string} id */
export const indexOf = (id) => Number(id.slice(id.lastIndexOf("-") + 1));

/**
 * Picture `id` of a job, with its own seed and the words that were drawn for it.
 * @param {any} job @param {string} id @returns {Picture}
 */
export function pictureOf(job, id) {
  const index = indexOf(id);
  const request = requestOf(job.request, index);
  const [width, height] = isHires(request) ? refinedSize(request) : [request.width, request.height];
  // what was made from a picture has that one's size, which a job does not tell
  return { id, job_id: job.id, index, width, height, sized: !request.init_image, request, favourite: false, created: job.created };
}

/** The recipe of picture `index` alone, as the server writes it. @param {Record<string, any>} request @param {number} index */
export function requestOf(request, index) {
  const counted = request.variation_strength ? "variation_seed" : "seed";
  const own = { ...request, [counted]: (request[counted] + index) % SEEDS, num_images: 1, batch_size: 1 };
  if (!request.picture_prompts?.length) return own;
  const words = { prompt: request.picture_prompts[index], negative_prompt: request.picture_negative_prompts[index] };
  return { ...own, ...words, styles: [] };
}

/** Is it drawn small, enlarged and refined? @param {Record<string, any>} request */
export const isHires = (request) => !request.init_image && Boolean(request.hires_scale > 1 || request.hires_width || request.hires_height);

/** The size after the second run, as the server counts it. @param {Record<string, any>} request */
export function refinedSize({ width, height, hires_scale: scale, hires_width: across, hires_height: down }) {
  if (!across && !down) return [width, height].map((side) => Math.round(side * scale));
  return [across || Math.round((width * down) / height), down || Math.round((height * across) / width)];
}

/** What made it larger, or seamless. */
function larger(request, t) {
  const upscales = request.init_image && request.upscale_scale > 1;
  return [
    isHires(request) && { key: "hires_scale", text: t("fact.hires", { size: refinedSize(request).join(" × ") }) },
    upscales && { key: "upscale_scale", text: t("fact.upscale", { n: request.upscale_scale }) },
    (request.tiling ?? "none") !== "none" && { key: "tiling", text: t("fact.tiling") },
  ].filter(Boolean);
}

/**
 * The recipe in a line of short facts, each with its key.
 * @param {Record<string, any>} request
 * @param {{samplers: Map<string, any>, t: (key: string, values?: any) => string}} tools
 * @param {{width: number, height: number}|null} [size] of the picture, where it is known
 * @returns {{key: string, text: string}[]}
 */
export function facts(request, { samplers, t }, size = request.init_image ? null : request) {
  const sampler = samplers.get(request.sampler)?.label ?? request.sampler;
  const schedule = request.sigma_schedule === "automatic" ? "" : ` ${t(`schedule.${request.sigma_schedule}`)}`;
  const refiner = request.refiner ? [{ key: "refiner", text: request.refiner }] : [];
  const from = request.init_image ? [{ key: "strength", text: t("fact.strength", { n: request.strength }) }] : [];
  const strength = request.variation_strength;
  const variation = strength ? [{ key: "variation_strength", text: t("fact.variation", { strength }) }] : [];
  return [
    { key: "model", text: request.model },
    ...refiner,
    { key: "sampler", text: sampler + schedule },
    { key: "num_inference_steps", text: t("fact.steps", { n: request.num_inference_steps }) },
    { key: "guidance_scale", text: t("fact.cfg", { n: request.guidance_scale }) },
    ...from,
    ...(size ? [{ key: "size", text: `${size.width} × ${size.height}` }] : []),
    ...larger(request, t),
    { key: "seed", text: t("fact.seed", { seed: request.seed }) },
    ...variation,
  ];
}
