// What the keyframes look like, drawn when somebody asks: each an ordinary picture of its words.
import { jobs, pictures, sources } from "../api.js";
import { t } from "../i18n.js";

const ENDED = ["done", "failed", "cancelled"];

/**
 * @param {{draft: any, desk: any, orders: any, toast: any, watch: (id: string) => void}} tools
 */
export function createSketches({ draft, desk, orders, toast, watch }) {
  /** What a keyframe's picture depends on. */
  const keyOf = (keyframe) => JSON.stringify(orders.picture(keyframe));
  /** The jobs at work, and the preview of each. @type {Map<string, string>} */
  const previews = new Map();

  /** Without a seed of its own a picture would not be the film's: the desk keeps the one that is drawn. */
  async function seeded() {
    if (desk.values.seed !== null) return;
    await desk.write({ seed: Math.floor(Math.random() * 2 ** 32) });
    toast.show(t("animate.seed"));
  }

  async function draw(id) {
    if (draft.get(id)?.drawing) return;
    draft.change(id, { drawing: "asked" });
    try {
      await desk.settled();
      await seeded();
      const asked = await orders.picture(draft.get(id), true);
      const of = keyOf(draft.get(id));
      const job = await jobs.order(asked);
      draft.change(id, { drawing: job.id, of });
      watch(job.id);
    } catch (error) {
      draft.change(id, { drawing: null });
      toast.show(error.message || t("lost.title"));
    }
  }

  function onJob(job) {
    const keyframe = draft.keyframes.find((each) => each.drawing === job.id);
    if (!keyframe) return;
    if (!ENDED.includes(job.state)) {
      if (job.preview_version) previews.set(job.id, jobs.preview(job.id, job.preview_version));
      return draft.touch();
    }
    previews.delete(job.id);
    const [picture] = job.picture_ids;
    const thumb = picture ? { address: pictures.file(picture), of: keyframe.of, picture } : keyframe.thumb;
    draft.change(keyframe.id, { drawing: null, thumb });
    if (job.state === "failed") toast.show(job.error || t("failed.title"));
  }

  return {
    draw,
    onJob,
    /** What a card shows. @param {import("./draft.js").Keyframe} keyframe */
    faceOf(keyframe) {
      if (keyframe.picture) return { address: sources.file(keyframe.picture) };
      const busy = Boolean(keyframe.drawing);
      const address = previews.get(keyframe.drawing) ?? keyframe.thumb?.address;
      return { address, busy, stale: !busy && Boolean(keyframe.thumb) && keyframe.thumb.of !== keyOf(keyframe) };
    },
    keyOf,
    /** What was being drawn when the page was left. */
    async resume() {
      for (const { id, drawing } of draft.keyframes) {
        if (!drawing) continue;
        const job = drawing === "asked" ? null : await jobs.get(drawing).catch(() => null);
        if (!job) draft.change(id, { drawing: null });
        else if (ENDED.includes(job.state)) onJob(job);
        else watch(drawing);
      }
    },
  };
}
