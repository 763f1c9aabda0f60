// What a prompt with wildcards and variants would come to.
import { el } from "./dom.js";
import { count, t } from "./i18n.js";
import { wordbook } from "./wordbook.js";

const PAUSE = 350;
const MOST_QUEUED = 200;
const VARIANTS = /__[\w\-./*]+?__|\{[^{}]*\}/;

/**
 * @param {any} desk
 * @param {{toast: any, onQueued: (ids: string[]) => void}} tools
 */
export function createDrawn(desk, { toast, onQueued }) {
  const element = el("div", { class: "drawn", hidden: true });
  let timer = 0;
  let asked = "";

  function draft() {
    const { prompt, negative_prompt, styles, seed, num_images } = desk.values;
    const fixed = Number.isInteger(seed) && seed >= 0 ? seed : null;
    return { prompt: prompt ?? "", negative_prompt: negative_prompt ?? "", styles, seed: fixed, num_images: Number(num_images) || 1 };
  }

  async function ask() {
    const words = draft();
    const key = JSON.stringify(words);
    if (key === asked) return;
    asked = key;
    if (!VARIANTS.test(words.prompt + words.negative_prompt)) {
      element.hidden = true;
      return;
    }
    const found = await wordbook.preview({ ...words, styles: [] }).catch(() => null);
    if (key === asked) show(found, words);
  }

  function show(found, words) {
    element.hidden = !found || !(found.variants || found.unknown.length);
    if (element.hidden) return;
    const { combinations: n, unknown } = found;
    const example = found.drawn[0].prompt || found.drawn[0].negative_prompt;
    const lead = t(words.seed === null ? "drawn.example" : "drawn.next");
    element.replaceChildren(
      ...(found.variants ? [el("p", { class: "drawn-text", title: listed(found.drawn) }, el("span", { class: "soft" }, `${lead} `), example)] : []),
      ...(unknown.length ? [el("p", { class: "soft" }, t("drawn.unknown", { n: unknown.length, names: unknown.map((name) => `__${name}__`).join(t("words.and")) }))] : []),
      ...(n > MOST_QUEUED ? [el("p", { class: "soft" }, t(found.more ? "drawn.more" : "drawn.many", { count: count(n) }))] : []),
      ...(n > 1 && n <= MOST_QUEUED ? [queueAll(n)] : []),
    );
  }

  const listed = (drawn) => drawn.map((each) => `${each.seed}: ${each.prompt}`).join("\n");

  function queueAll(n) {
    return el("button", { type: "button", class: "link", onclick: queue }, t("drawn.queue", { n: count(n) }));
  }

  async function queue(event) {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const jobs = await wordbook.queueAll(await desk.inItsWords());
      onQueued(jobs.map((job) => job.id));
      toast.show(t("drawn.queued", { n: jobs.length }));
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    } finally {
      button.disabled = false;
    }
  }

  return {
    element,
    /** Look again, a moment after the words have changed. */
    look() {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    },
  };
}
