// What is on its way from the hub: progress in bytes, speed, time left; stop, go on, forget.
import { el } from "./dom.js";
import { duration, size, t } from "./i18n.js";
import { hub } from "./library.js";
import { progressLine } from "./progress.js";

const LOOK = 500;
export const ACTIVE = ["queued", "asking", "downloading", "checking"];

/**
 * @param {{toast: any, onDone: (download: any) => void, onFailed: (download: any) => void,
 *   onChange: (list: any[]) => void}} tools
 */
export function createDownloads({ toast, onDone, onFailed, onChange }) {
  const rows = el("ul", { class: "models" });
  const element = el("section", { class: "downloads", hidden: true }, el("h2", { class: "shelf-title" }, t("downloads")), rows);
  /** @type {Map<string, ReturnType<typeof createRow>>} */
  const shown = new Map();
  const states = new Map();
  let timer = 0;

  function draw(list) {
    element.hidden = !list.length;
    for (const [id, row] of shown) {
      if (list.some((each) => each.id === id)) continue;
      row.element.remove();
      shown.delete(id);
    }
    for (const each of list) {
      if (!shown.has(each.id)) {
        shown.set(each.id, createRow({ onCancel: cancel, onResume: resume }));
        rows.prepend(shown.get(each.id).element);
      }
      shown.get(each.id).show(each);
      const before = states.get(each.id);
      states.set(each.id, each.state);
      if (!before || before === each.state) continue; // not news: it was so when the page was opened
      if (each.state === "done") onDone(each);
      if (each.state === "failed") onFailed(each);
    }
    onChange(list);
  }

  /** Looks until nothing is on its way any more; also while the studio does not answer. */
  async function watch() {
    clearTimeout(timer);
    const list = await hub.downloads().catch(() => null);
    if (list) draw(list);
    clearTimeout(timer);
    if (!list || list.some(isActive)) timer = setTimeout(watch, document.hidden || !list ? 4 * LOOK : LOOK);
  }

  async function cancel(id) {
    try {
      draw(await hub.cancel(id));
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  }

  async function resume({ repo_id, file }) {
    await hub.install(repo_id, file).catch((error) => toast.show(error.message || t("lost.title")));
    watch();
  }

  return { element, watch, isActive };
}

const isActive = ({ state }) => ACTIVE.includes(state);

function createRow({ onCancel, onResume }) {
  let now = null;
  const name = el("p", { class: "model-name" });
  const words = el("p", { class: "facts soft" });
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const line = progressLine();
  const go = el("button", { type: "button", class: "quiet-button", onclick: () => onResume(now) });
  const stop = el("button", { type: "button", class: "quiet-button", onclick: () => onCancel(now.id) });
  const element = el(
    "li",
    { class: "model download" },
    el("div", { class: "model-words" }, name, words, line.element, problem),
    el("div", { class: "model-actions" }, go, stop),
  );

  function label(button, key) {
    button.textContent = t(key);
    button.setAttribute("aria-label", `${t(key)}: ${now.repo_id}`);
  }

  return {
    element,
    show(download) {
      now = download;
      const active = isActive(now);
      name.textContent = now.repo_id;
      words.replaceChildren(...sentence(now).map((fact) => el("span", {}, fact)));
      problem.hidden = !now.error;
      if (problem.textContent !== (now.error ?? "")) problem.textContent = now.error ?? "";
      line.show(now.state === "done" ? 1 : now.total ? now.done / now.total : 0, { active, hidden: now.state === "done" || (!active && !now.done), label: now.repo_id });
      go.hidden = active || now.state === "done";
      label(go, now.done ? "downloads.resume" : "notice.retry");
      label(stop, active ? "downloads.cancel" : now.state === "done" ? "notice.close" : "downloads.forget");
    },
  };
}

/** Where an install is, as short facts. */
function sentence(now) {
  const bytes = now.total ? t("downloads.bytes", { done: size(now.done), total: size(now.total) }) : "";
  const file = now.file ?? "";
  if (now.state === "done") return [file, now.where].filter(Boolean);
  if (now.state !== "downloading") return [file, t(`downloads.${now.state}`), bytes].filter(Boolean);
  return [
    file,
    bytes,
    now.speed ? t("downloads.speed", { size: size(now.speed) }) : "",
    now.seconds_left ? t("status.left", { time: duration(now.seconds_left) }) : "",
  ].filter(Boolean);
}
