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
const ACTIONS = ["load", "unload", "default"];
const LOOK = 4000;

/**
 * @param {HTMLElement} root
 * @param {{first: string, desk: any, rooms: any, toast: any, onChange: (list: any[]) => void}} tools
 *   first is the model that new pages begin with; onChange is told what is installed each time it may
 *   have changed.
 */
export function createModels(root, { first, desk, rooms, toast, onChange }) {
  const { folder, folders } = factsOf(root);
  const meter = createMemory();
  const shelf = createShelf({ folder, folders, note: meter.note, desk, onUse: use, onTell: tell, onRescan: rescan, onMore: () => show("install") });
  const install = createInstall({ toast, onInstalled: refresh, onUse: useWhere, onProgress, onShow: () => (rooms.go("models"), show("install")) });
  const merge = createMerge({ toast, onMerged: refresh, onUse: useWhere });
  const views = { shelf: shelf.element, install: install.element, merge: merge.element };
  const share = el("span", { class: "figures" });
  const buttons = VIEWS.map((name) =>
    el("button", { type: "button", class: "filter", onclick: () => show(name) }, t(`models.view.${name}`), name === "install" ? share : null),
  );
  /** What a model is being told to do: name -> "load", "unload" or "default". @type {Map<string, string>} */
  const busy = new Map();
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

  /** What is on its way stands on the button too, for who looks at the shelf meanwhile. */
  function onProgress(part) {
    share.textContent = part === null ? "" : ` ${Math.floor(part * 100)} %`;
  }

  async function use(name) {
    await desk.useModel(name);
    rooms.go("create");
  }

  /** The checkpoint that was put there. @param {string} where */
  function useWhere(where) {
    const found = list.find((each) => each.where === where && each.kind === "checkpoint" && !each.problem);
    return found ? () => use(found.name) : null;
  }

  /** Load, unload, make default: it may wait for a picture that is being made. */
  async function tell(what, name) {
    busy.set(name, what);
    draw(await known());
    try {
      await models.tell(what, name);
      if (what === "default") first = name;
      toast.show(t(`models.told.${what}`, { name }));
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
    busy.delete(name);
    await refresh();
  }

  async function rescan() {
    if (await has("models/rescan")) await models.rescan().catch(() => null);
    await refresh();
    toast.show(t("models.rescanned", { n: list.length }));
  }

  /** Everything the shelf draws. */
  async function known() {
    const [found, pictures, held, ...able] = await Promise.all([models.list(), models.previews(), memoryNow(), ...ACTIONS.map((each) => has(`models/${each}`))]);
    for (const each of found) each.default = each.kind === "checkpoint" && each.name === first;
    const resident = new Map((held.resident ?? []).map((each) => [each.name, each]));
    return { found, pictures, held, resident, can: new Set(ACTIONS.filter((_, index) => able[index])) };
  }

  function draw({ found, pictures, held, resident, can }) {
    meter.show(held);
    const state = JSON.stringify([found, [...pictures], held.resident, [...busy], [...can]]);
    if (state === drawn) return;
    [list, drawn] = [found, state];
    shelf.show(list, { pictures, resident, can, busy });
    merge.learn(list);
    onChange(list);
  }

  async function refresh() {
    try {
      draw(await known());
    } catch (error) {
      drawn = "";
      shelf.fail(error.message || t("lost.text"));
    }
  }

  // Files come and go, models are loaded and let go: while one looks, the shelf keeps up.
  setInterval(() => document.hidden || rooms.current !== "models" || refresh(), LOOK);

  return {
    search: shelf.search,
    /** To the shelf, for who wants to search it. */
    showShelf: () => show("shelf"),
    async enter() {
      show(memory.get("models.view"));
      install.watch();
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
