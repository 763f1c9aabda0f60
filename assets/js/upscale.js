// Making a finished picture larger: by how much, by what, and how much detail is added in tiles.
import { jobs, pictures } from "./api.js";
import { PIXEL_WAYS } from "./choices.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { createSheet, labelled } from "./sheet.js";

const FACTORS = [1.5, 2, 3, 4];
const LARGEST = 8192;
/** What of a picture's own recipe has no part in making it larger. */
const FRESH = {
  hires_scale: 1, hires_width: 0, hires_height: 0, mask_image: null, resize_mode: "keep", tile_size: null, tile_overlap: null,
  outpaint_left: 0, outpaint_top: 0, outpaint_right: 0, outpaint_bottom: 0, num_images: 1, batch_size: 1,
};

/**
 * @param {{upscalers: Map<string, any>, onJob: (job: any) => void}} tools `onJob`: hears of what was ordered
 * @returns {(picture: import("./recipe.js").Picture) => Promise<void>} asks how, for a picture
 */
export function createUpscale({ upscalers, onJob }) {
  const sheet = createSheet(t("upscale.title"), { class: "upscale" });
  const size = el("p", { class: "upscale-size figures", role: "status" });
  const factors = FACTORS.map((each) => el("input", { type: "radio", name: "upscale-factor", value: String(each), onchange: draw }));
  const way = el("select", { class: "box" });
  const value = el("output", { class: "figures" });
  const strength = el("input", { type: "range", class: "slide", min: "0", max: "1", step: "0.05", value: "0.3", oninput: draw });
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const start = el("button", { type: "submit", class: "fill-button" }, t("upscale.start"));
  const choices = el(
    "div",
    { class: "upscale-factors", role: "radiogroup", "aria-label": t("upscale.factor") },
    ...factors.map((each) => el("label", {}, each, el("span", {}, `× ${each.value}`))),
  );
  const form = el(
    "form",
    { class: "sheet-form", onsubmit: (event) => (event.preventDefault(), order()) },
    choices,
    size,
    labelled(t("field.upscaler"), way),
    labelled(t("field.strength"), el("span", { class: "upscale-strength" }, strength, value), t("upscale.strength.help")),
    problem,
    start,
  );
  sheet.body.append(form);
  let picture = null;
  let measured = null; // its size in pixels, as its file says

  const chosen = () => Number(factors.find((each) => each.checked)?.value ?? 2);
  const sized = (scale) => measured.map((side) => Math.round(side * scale));

  function draw() {
    const [width, height] = sized(chosen());
    size.textContent = t("upscale.size", { from: measured.join(" × "), to: `${width} × ${height}` });
    value.textContent = Number(strength.value).toFixed(2);
    strength.style.setProperty("--filled", `${Number(strength.value) * 100}%`);
  }

  async function order() {
    problem.hidden = true;
    start.disabled = true;
    try {
      const asked = { init_image: picture.id, upscale_scale: chosen(), upscaler: way.value, strength: Number(strength.value) };
      const job = await jobs.order({ ...picture.request, ...FRESH, ...asked });
      sheet.dialog.close();
      onJob(job);
    } catch (error) {
      problem.textContent = error.message || t("lost.title");
      problem.hidden = false;
    }
    start.disabled = false;
  }

  /** The picture's own size: a recipe says what it was drawn at. @param {string} id */
  async function measure(id) {
    const image = new Image();
    image.src = pictures.file(id);
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }

  return async (asked) => {
    [picture, measured] = [asked, await measure(asked.id)];
    for (const each of factors) each.disabled = Math.max(...sized(Number(each.value))) > LARGEST;
    if (!factors.some((each) => each.checked && !each.disabled)) factors[1].checked = true;
    const files = [...upscalers.values()].filter((each) => !each.problem).map(({ name }) => [name, name]);
    const ways = [...PIXEL_WAYS.map((each) => [each, t(`upscaler.${each}`)]), ...files];
    const before = way.value;
    way.replaceChildren(...ways.map(([name, label]) => el("option", { value: name }, label)));
    if (ways.some(([name]) => name === before)) way.value = before;
    problem.hidden = true;
    draw();
    sheet.open();
  };
}
