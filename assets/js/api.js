// The studio's own REST API, as this page uses it.
import { ROOT } from "./dom.js";

/** What the server said no to, in its own sentence. */
export class ApiError extends Error {
  /**
   * @param {string} message @param {number} status 0 when there was no answer at all
   * @param {{field: string, message: string}[]} [problems] one for each field that is wrong
   */
  constructor(message, status, problems = []) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

/** The address of a path under /api/v1. @param {string} path @param {Record<string, any>} [query] */
export function address(path, query = {}) {
  const url = new URL(`api/v1/${path}`, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) {
      url.searchParams.set(name, value === true ? "1" : String(value));
    }
  }
  return url.href;
}

/**
 * The server's answer; ApiError when it says no, or nothing.
 * @param {string} method @param {string} path @param {{query?: Record<string, any>, body?: any}} [sent]
 */
export async function call(method, path, { query, body } = {}) {
  let answer;
  try {
    answer = await fetch(address(path, query), {
      method,
      headers: body ? { "content-type": "application/json" } : {},
      body: body ? JSON.stringify(body) : undefined,
    });
  } catch {
    throw new ApiError("", 0);
  }
  if (answer.status === 204) return null;
  const type = answer.headers.get("content-type") ?? "";
  const content = type.includes("json") ? await answer.json() : await answer.text();
  if (!answer.ok) throw new ApiError(content?.detail ?? answer.statusText, answer.status, content?.problems);
  return content;
}

export const jobs = {
  /** Hands a request in. @param {Record<string, any>} request */
  order: (request) => call("POST", "jobs", { body: request }),
  /** This visitor's jobs that wait or run. */
  active: async () => listOf(await call("GET", "jobs", { query: { active: true } }), "jobs"),
  /** This visitor's latest jobs, finished ones too. */
  latest: async () => listOf(await call("GET", "jobs"), "jobs"),
  /** @param {string} id */
  get: (id) => call("GET", `jobs/${id}`),
  /** @param {string} id */
  cancel: (id) => call("DELETE", `jobs/${id}`),
  /** @param {string} id @param {number} version */
  preview: (id, version) => address(`jobs/${id}/preview`, { v: version }),
};

export const pictures = {
  /** @param {{query?: string, favourites?: boolean, trashed?: boolean, limit?: number, before?: string}} search */
  search: (search) => call("GET", "pictures", { query: search }),
  /** @param {string} id @param {boolean} favourite */
  favourite: (id, favourite) => call("PATCH", `pictures/${id}`, { body: { favourite } }),
  /** @param {string} id */
  bin: (id) => call("DELETE", `pictures/${id}`),
  /** @param {string} id */
  restore: (id) => call("POST", `pictures/${id}/restore`),
  emptyBin: () => call("DELETE", "bin"),
  /** @param {string} id */
  file: (id) => address(`pictures/${id}`),
  /** A picture as a search lists it. @param {string} id */
  entry: (id) => call("GET", `pictures/${id}/entry`),
  /** @param {string} id */
  thumbnail: (id) => address(`pictures/${id}/thumbnail`),
  /** The recipe as text. @param {string} id */
  parameters: async (id) => (await call("GET", `pictures/${id}/parameters`)).parameters,
  /** The file for saving. @param {string} id @param {"png"|"jpeg"|"webp"} format */
  download: (id, format) => address(`pictures/${id}`, { download: true, format: format === "png" ? "" : format }),
};

export const sources = {
  /**
   * Keeps a picture to start from, or a sound. @param {{image?: string, over?: string, sound?: string}} given a file in base64, a picture's id or a hash;
   *   `over`: colours to lay on it @returns {Promise<{hash: string, width: number, height: number}>}
   */
  keep: (given) => call("POST", "sources", { body: given }),
  /** @param {string} hash */
  file: (hash) => address(`sources/${hash}`),
};

export const animations = {
  /** Hands an animation in; its job has the same id. @param {Record<string, any>} values */
  order: (values) => call("POST", "animations", { body: values }),
  /** This visitor's animations, newest first. */
  list: async () => listOf(await call("GET", "animations"), "animations"),
  /** @param {string} id */
  get: (id) => call("GET", `animations/${id}`),
  /** Within one step; a film is made of what there is. @param {string} id */
  stop: (id) => call("POST", `animations/${id}/stop`),
  /** At the first frame that is missing. @param {string} id */
  resume: (id) => call("POST", `animations/${id}/resume`),
  /** @param {string} id */
  remove: (id) => call("DELETE", `animations/${id}`),
  /** @param {string} id @param {number} frame */
  frame: (id, frame) => address(`animations/${id}/frames/${frame}`),
  /** The film as it is at this moment; it is another one with more frames. @param {{id: string, frames_done: number}} animation */
  film: ({ id, frames_done: count }, download = false) => address(`animations/${id}/file`, { v: count, download }),
  /**
   * What a film that was made here says about how it was made; null in any other. @param {File} file
   * @returns {Promise<{animation: Record<string, any>|null, missing: any[], unrecognised: string[]}>}
   */
  recipeIn: async (file) => ({ animation: null, ...(await call("POST", "parameters", { body: { image: await base64(file) } })) }),
};

export const studio = {
  models: async () => listOf(await call("GET", "models"), "models"),
  /** How many jobs wait, what the device is, how full its memory. */
  health: () => call("GET", "../../healthz"),
  samplers: async () => listOf(await call("GET", "samplers"), "samplers"),
};

export const listOf = (answer, name) => (Array.isArray(answer) ? answer : (answer[name] ?? []));

/** A file as the API takes it. @param {Blob} blob @returns {Promise<string>} base64 */
export function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => resolve(String(reader.result).split(",", 2)[1] ?? "");
    reader.readAsDataURL(blob);
  });
}
