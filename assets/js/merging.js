// Merges that run or have ended: progress, cancel, what went wrong.
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { merges } from "./library.js";
import { progressLine } from "./progress.js";

const LOOK = 500;
const ENDED = ["done", "failed", "cancelled"];

/**
 * @param {{toast: any, onMerged: () => Promise<void>, onUse: (where: string) => (() => void)|null}} tools
 *   onUse gives what uses a model that was put somewhere, or null.
 */
export function createMerging({ toast, onMerged, onUse }) {
  const rows = el("ul", { class: "models" });
  const element = el("section", { class: "downloads", hidden: true }, el("h2", { class: "shelf-title" }, t("merges")), rows);
  const states = new Map();
  const shown = new Map();
  let timer = 0;

  function draw(list) {
    element.hidden = !list.length;
    for (const [id, row] of shown) {
      if (list.some((each) => each.id === id)) continue;
      row.element.remove();
      shown.delete(id);
    }
    for (const merge of list) {
      if (!shown.has(merge.id)) {
        shown.set(merge.id, createRow(cancel));
        rows.prepend(shown.get(merge.id).element);
      }
      shown.get(merge.id).show(merge);
      const before = states.get(merge.id);
      states.set(merge.id, merge.state);
      if (merge.state === "done" && before && before !== "done") done(merge);
    }
  }

  async function done({ name, where }) {
    await onMerged();
    const run = onUse(where);
    toast.show(t("merge.done", { name }), run ? { label: t("downloads.use"), run } : undefined);
  }

  async function watch() {
    clearTimeout(timer);
    const list = await merges.list().catch(() => null);
    if (list) draw(list);
    clearTimeout(timer);
    if (!list || list.some((each) => !ENDED.includes(each.state))) timer = setTimeout(watch, document.hidden ? 4 * LOOK : LOOK);
  }

  async function cancel(id) {
    await merges.cancel(id).catch((error) => toast.show(error.message || t("lost.title")));
    watch();
  }

  return { element, watch };
}

function createRow(onCancel) {
  let now = null;
  const name = el("p", { class: "model-name" });
  const words = el("p", { class: "soft figures" });
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const line = progressLine();
  const stop = el("button", { type: "button", class: "quiet-button", onclick: () => onCancel(now.id) }, t("downloads.cancel"));
  const element = el("li", { class: "model download" }, el("div", { class: "model-words" }, name, words, line.element, problem), stop);
  return {
    element,
    show(merge) {
      now = merge;
      const ended = ENDED.includes(merge.state);
      name.textContent = merge.name;
      words.textContent = merge.state === "running" ? `${Math.floor(merge.progress * 100)} %` : t(`merge.state.${merge.state}`);
      problem.hidden = !merge.error;
      if (problem.textContent !== (merge.error ?? "")) problem.textContent = merge.error ?? "";
      line.show(merge.progress, { active: !ended, hidden: ended, label: name.textContent });
      stop.textContent = t(ended ? "notice.close" : "downloads.cancel");
      stop.setAttribute("aria-label", t("named", { what: stop.textContent, name: name.textContent }));
    },
  };
}
