// What the desk's lists offer: it depends on what is installed, and on what else is chosen.
import { t } from "./i18n.js";

export const LATENT_WAYS = ["latent", "latent_bicubic", "latent_bicubic_antialiased", "latent_nearest", "latent_nearest_exact"];
export const PIXEL_WAYS = ["lanczos", "nearest"];
const SHAPES = ["square", "portrait", "landscape", "custom"];
/** Families that share their autoencoder with another. */
const SAME_VAE = { sd2: "sd1", sdxl_refiner: "sdxl" };

/** Can an add-on be used with models of a family? @param {any} addon @param {string|undefined} family */
export function suits(addon, family) {
  if (addon.problem || addon.variety === "tiny") return false;
  const among = (name) => (addon.kind === "vae" ? (SAME_VAE[name] ?? name) : name);
  return !addon.family || !family || among(addon.family) === among(family);
}

/** @param {{models: Map<string, any>, vaes: Map<string, any>, upscalers: Map<string, any>, samplers: Map<string, any>}} installed */
export function createChoices({ models, vaes, upscalers, samplers }) {
  const usable = () => [...models.values()].filter((each) => !each.problem).map((each) => [each.name, each.name]);
  const schedules = (sampler) => samplers.get(sampler)?.sigma_schedules ?? ["automatic"];
  const lists = {
    sigma_schedule: ({ sampler }) => schedules(sampler).map((each) => [t(`schedule.${each}`), each]),
    shape: () => SHAPES.map((each) => [t(`shape.${each}`), each]),
    model: usable,
    refiner: () => [[t("refiner.none"), ""], ...usable()],
    hires_upscaler: () => [...LATENT_WAYS, ...PIXEL_WAYS].map((each) => [t(`upscaler.${each}`), each]).concat(files()),
    vae: ({ model }) => [[t("vae.automatic"), "automatic"], [t("vae.own"), ""], ...fitting(model)],
  };

  /** The VAEs that go with a model. */
  function fitting(model) {
    const family = models.get(model)?.family;
    return [...vaes.values()].filter((each) => suits(each, family)).map((each) => [each.name, each.name]);
  }

  /** The upscalers that are installed, as a list offers them. */
  const files = () => [...upscalers.values()].filter((each) => !each.problem).map((each) => [each.name, each.name]);

  return {
    schedules,
    /** What enlarges a picture. */
    pixelWays: () => [...PIXEL_WAYS.map((each) => [t(`upscaler.${each}`), each]), ...files()],
    /** Label and value of each choice of the field `name`; undefined when it is no list. */
    of: (name, values) => lists[name]?.(values),
    /** `values`, where what is not there or does not fit gives way to what always does. */
    mended(values, usual) {
      const mended = { ...values };
      if (!models.has(values.model) || models.get(values.model).problem) mended.model = usual.model;
      if (!models.has(values.refiner)) mended.refiner = "";
      if (!lists.hires_upscaler().some(([, value]) => value === values.hires_upscaler)) mended.hires_upscaler = "lanczos";
      if (values.hires_sampler && !samplers.has(values.hires_sampler)) mended.hires_sampler = "";
      if (!lists.vae(mended).some(([, value]) => value === values.vae)) mended.vae = "automatic";
      if (!schedules(values.sampler).includes(values.sigma_schedule)) mended.sigma_schedule = schedules(values.sampler)[0];
      return mended;
    },
  };
}
