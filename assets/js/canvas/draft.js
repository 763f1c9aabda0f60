// What is on the canvas survives a reload: the steps in localStorage, what was drawn in IndexedDB.
import { memory } from "../dom.js";

const NAME = "studio-canvas";
const STORE = "drawn";
const PAUSE = 250;

export function createDraft() {
  let timer = 0;
  let opened = null;

  /** The database; null where there is none, as in some private windows: only the memory is lost. */
  function database() {
    opened ??= new Promise((resolve) => {
      try {
        const request = indexedDB.open(NAME, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(null);
      } catch {
        resolve(null);
      }
    });
    return opened;
  }

  /** @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest} work */
  async function ask(mode, work) {
    const base = await database();
    if (!base) return null;
    return new Promise((resolve) => {
      const request = work(base.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result ?? null);
      request.onerror = () => resolve(null);
    });
  }

  return {
    /** As left at the last visit. */
    steps: () => memory.get("canvas") ?? {},
    /** @param {any} steps */
    keepSteps: (steps) => memory.set("canvas", steps),
    /** What was drawn on a step. @param {number} id */
    drawn: (id) => ask("readonly", (store) => store.get(id)),
    /** @param {number} id @param {() => any} give what is drawn now, asked for after a pause */
    keepDrawn(id, give) {
      clearTimeout(timer);
      timer = setTimeout(() => ask("readwrite", (store) => store.put(give(), id)), PAUSE);
    },
    clear() {
      clearTimeout(timer);
      memory.set("canvas", {});
      return ask("readwrite", (store) => store.clear());
    },
  };
}
