// The studio's API about models: what there is, what is loaded, installs, merges.
import { address, call, listOf } from "./api.js";
import { ROOT } from "./dom.js";

/** Paths that the server has; asked once. @type {Promise<Set<string>>|undefined} */
let paths;

/** Does the server know this path? @param {string} path under /api/v1, with {…} as it writes them */
export async function has(path) {
  paths ??= fetch(new URL("openapi.json", ROOT))
    .then((answer) => answer.json())
    .then((document) => new Set(Object.keys(document.paths)))
    .catch(() => new Set());
  return (await paths).has(`/api/v1/${path}`);
}

export const models = {
  list: async () => listOf(await call("GET", "models"), "models"),
  /** Which models have a picture: "kind/name" -> its version. */
  previews: async () => new Map((await call("GET", "models/previews")).map((each) => [`${each.kind}/${each.name}`, each.version])),
  /** @param {{name: string, kind: string}} model @param {number} version */
  preview: ({ name, kind }, version) => address("models/preview", { name, kind, v: version }),
  /** @param {"load"|"unload"|"default"} what @param {string} name */
  tell: (what, name) => call("POST", `models/${what}`, { body: { name } }),
  rescan: () => call("POST", "models/rescan", { body: {} }),
  /** What is resident and how full the memory is. */
  memory: () => call("GET", "memory"),
};

export const hub = {
  offers: () => call("GET", "hub"),
  /** @param {string} repo_id @param {string|null} [file] */
  plan: (repo_id, file = null) => call("POST", "hub/plan", { body: { repo_id, file } }),
  /** @param {string} repo_id @param {string|null} [file] */
  install: (repo_id, file = null) => call("POST", "downloads", { body: { repo_id, file } }),
  downloads: async () => (await call("GET", "downloads")).downloads,
  /** Stops it; forgets it when it is stopped already. @param {string} id */
  cancel: async (id) => (await call("DELETE", `downloads/${id}`)).downloads,
};

export const merges = {
  list: async () => listOf(await call("GET", "merges"), "merges"),
  /** @param {Record<string, any>} recipe */
  start: (recipe) => call("POST", "merges", { body: recipe }),
  /** @param {string} id */
  cancel: (id) => call("DELETE", `merges/${id}`),
};
