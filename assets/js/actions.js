// What can be done with a picture, wherever it hangs: stage, gallery, large view.
import { jobs, pictures } from "./api.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { linkOf } from "./link.js";
import { createUpscale } from "./upscale.js";

/** How much of another noise a variation has: the composition stays, what fills it changes. */
const NEAR = 0.3;
const FOUR = 4;

/**
 * @param {{desk: any, toast: any, rooms: any, canvas: () => any, animate: () => any, upscalers: Map<string, any>}} tools
 * Listeners hear ("favourite" | "binned" | "restored" | "desk", picture[]).
 */
export function createActions({ desk, toast, rooms, canvas, animate, upscalers }) {
  const listeners = new Set();
  const tell = (what, which) => listeners.forEach((listener) => listener(what, which));

  /** Runs `work`; a refusal of the server is said in its own words. */
  async function attempt(work) {
    try {
      await work();
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  }

  /** To where a new job can be seen. */
  function watch(job) {
    tell("desk", []);
    rooms.go("create");
    desk.listeners.ticket?.(job.id);
  }

  let askUpscale = null;

  async function restore(which) {
    await attempt(async () => {
      for (const picture of which) await pictures.restore(picture.id);
      const back = which.map((picture) => ({ ...picture, trashed: null }));
      tell("restored", back);
      toast.show(t("toast.restored", { n: back.length }));
    });
  }

  /** To the room where a picture was made, with what it was made from; false when that is gone. */
  async function back({ request }) {
    tell("desk", []);
    if (request.init_image) return canvas().use(request);
    rooms.go("create");
    return true;
  }

  return {
    /** @param {(what: string, which: any[]) => void} listener */
    listen: (listener) => listeners.add(listener),
    restore,
    /** All settings back onto the desk, seed included. */
    async again(picture) {
      await back(picture);
      desk.apply(picture.request);
      toast.show(t("toast.again"));
    },
    /** The same settings with a new seed, at once. */
    async more(picture) {
      if (await back(picture)) desk.make({ ...picture.request, seed: null });
    },
    /** The picture becomes one to paint on. */
    canvas(picture) {
      tell("desk", []);
      canvas().take(picture.id, picture.request.prompt);
    },
    /** What the picture shows becomes a keyframe. */
    animate: (picture) =>
      attempt(async () => {
        tell("desk", []);
        await animate().from(picture);
      }),
    /** Four pictures near this one, at once; the desk stays as it is. */
    vary: (picture) =>
      attempt(async () => {
        const near = { variation_seed: -1, variation_strength: NEAR, num_images: FOUR, batch_size: FOUR };
        const job = await jobs.order({ ...picture.request, ...near });
        watch(job);
      }),
    /** Asks how much larger, then orders it. */
    upscale: (picture) => attempt(() => (askUpscale ??= createUpscale({ upscalers, onJob: watch }))(picture)),
    favourite: (picture) =>
      attempt(async () => {
        const favourite = !picture.favourite;
        await pictures.favourite(picture.id, favourite);
        tell("favourite", [{ ...picture, favourite }]);
      }),
    copy: (picture) =>
      attempt(async () => {
        await copyText(await pictures.parameters(picture.id));
        toast.show(t("toast.copied"));
      }),
    link: (picture) =>
      attempt(async () => {
        await copyText(await linkOf(await pictures.parameters(picture.id)));
        toast.show(t("toast.linked"));
      }),
    bin: (which) =>
      attempt(async () => {
        for (const picture of which) await pictures.bin(picture.id);
        tell("binned", which);
        toast.show(t("toast.binned", { n: which.length }), { label: t("undo"), run: () => restore(which) });
      }),
  };
}

/** Puts text on the clipboard; the older way where the page is not served over https. */
async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const box = el("textarea", { class: "sr-only" });
  const host = document.querySelector("dialog[open]") ?? document.body;
  box.value = text;
  host.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}
