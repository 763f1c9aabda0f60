// The Models tab: the shelf of what is installed, installs from the hub, merges.
import { studio } from "./api.js";
import { el, factsOf, memory } from "./dom.js";
import { t } from "./i18n.js";
import { createInstall } from "./install.js";
import { has, models } from "./library.js";
import { createMemory } from "./memory.js";
import { createMerge } from "./merge.js";
import { createShelf } from "./shelf.js";

const VIEWS = ["shelf", "install", "merge"];
const LOOK = 4000;

/**
 * @param {HTMLElement} root
 * @param {{desk: any, rooms: any, toast: any, onChange: (list: any[]) => void}} tools
 *   onChange is told what is installed each time it may have changed.
 */
export function createModels(root, { desk, rooms, toast, onChange }) {
  const { folder } = factsOf(root);
  const meter = createMemory();
  const shelf = createShelf({ folder, note: meter.note, desk, onUse: use, onTell: tell, onRescan: rescan });
  const install = createInstall({ toast, onInstalled: refresh });
  const merge = createMerge({ toast, onMerged: refresh });
  const views = { shelf: shelf.element, install: install.element, merge: merge.element };
  const buttons = VIEWS.map((name) =>
    el("button", { type: "button", class: "filter", onclick: () => show(name) }, t(`models.view.${name}`)),
  );
  let list = [];
  let drawn = "";

  root.replaceChildren(
    el("h1", { class: "sr-only" }, t("models.title")),
    el("div", { class: "models-head" }, el("div", { class: "filters", role: "group", "aria-label": t("models.views") }, ...buttons), meter.element),
    ...VIEWS.map((name) => views[name]),
  );

  function show(name) {
    const wanted = VIEWS.includes(name) ? name : "shelf";
    memory.set("models.view", wanted);
    VIEWS.forEach((each, index) => {
      views[each].hidden = each !== wanted;
      buttons[index].setAttribute("aria-pressed", String(each === wanted));
    });
    if (wanted === "install") install.enter();
    if (wanted === "merge") merge.enter(list);
  }

  async function use(name) {
    await desk.useModel(name);
    rooms.go("create");
  }

  /** Load, unload, make default: what went wrong is said, and the list is drawn again. */
  async function tell(what, name) {
    try {
      await models.tell(what, name);
      toast.show(t(`models.told.${what}`, { name }));
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
    await refresh();
  }

  async function rescan() {
    if (await has("models/rescan")) await models.rescan().catch(() => null);
    await refresh();
    toast.show(t("models.rescanned", { n: list.length }));
  }

  async function refresh() {
    try {
      const [found, pictures, held] = await Promise.all([models.list(), models.previews(), memoryNow()]);
      const state = JSON.stringify([found, [...pictures], held.resident]);
      meter.show(held);
      if (state === drawn) return;
      [list, drawn] = [found, state];
      const can = new Set();
      for (const what of ["load", "unload", "default"]) if (await has(`models/${what}`)) can.add(what);
      shelf.show(list, { pictures, resident: new Map((held.resident ?? []).map((each) => [each.name, each])), can });
      merge.learn(list);
      onChange(list);
    } catch (error) {
      drawn = "";
      shelf.fail(error.message || t("lost.text"));
    }
  }

  // Files come and go, models are loaded and let go: while one looks, the shelf keeps up.
  setInterval(() => document.hidden || rooms.current !== "models" || refresh(), LOOK);

  return {
    async enter() {
      show(memory.get("models.view"));
      await refresh();
    },
  };
}

/** Memory with what is resident; from the short report where the long one is not to be had. */
async function memoryNow() {
  if (await has("memory")) return models.memory();
  const { device, memory: bytes } = await studio.health();
  return { device, total: bytes?.total ?? null, used: bytes?.used ?? null, plan: null, resident: null };
}
