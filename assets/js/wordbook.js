// The words that the studio keeps, and its help with writing, as this page asks for them.
import { address, call } from "./api.js";
import { ROOT } from "./dom.js";
import { language } from "./i18n.js";

/**
 * @typedef {{id: string, name: string, name_zh: string, group: string, prompt: string,
 *   negative_prompt: string, own: boolean, thumbnail: string|null}} Style
 * @typedef {{prompt: string, negative_prompt: string, styles: string[], seed?: number|null, num_images?: number}} Draft
 */

export const wordbook = {
  /** @returns {Promise<Style[]>} one's own first */
  styles: () => call("GET", "styles"),
  /** @param {string} id @param {{name: string, prompt: string, negative_prompt: string}} style */
  keepStyle: (id, style) => call("PUT", `styles/${encodeURIComponent(id)}`, { body: style }),
  /** @param {string} id */
  dropStyle: (id) => call("DELETE", `styles/${encodeURIComponent(id)}`),
  /** @param {string} text a styles.csv or JSON @returns {Promise<Style[]>} */
  takeStyles: (text) => call("POST", "styles/import", { body: { text } }),
  /** @param {"csv"|"json"} form */
  stylesFile: (form) => address("styles/export", { form }),

  presets: () => call("GET", "presets"),
  /** @param {string} id @param {string} name @param {Record<string, any>} values */
  keepPreset: (id, name, values) => call("PUT", `presets/${encodeURIComponent(id)}`, { body: { name, values } }),
  /** @param {string} id */
  dropPreset: (id) => call("DELETE", `presets/${encodeURIComponent(id)}`),

  /** What would be drawn. @param {Draft} draft */
  preview: (draft) => call("POST", "prompts/preview", { body: draft }),
  /** Tokens chunk by chunk; null in them until the model can tell. @param {Draft & {model: string}} draft */
  count: (draft) => call("POST", "prompts/count", { body: draft }),
  /** One job for each prompt that a prompt stands for. @param {Record<string, any>} order */
  queueAll: async (order) => (await call("POST", "prompts/combinations", { body: order })).jobs,
  /** @param {string} prefix @param {string} model */
  completions: (prefix, model) => call("GET", "completions", { query: { prefix, model } }),

  /** This visitor's past prompts. @param {string} query */
  history: (query) => call("GET", "history", { query: { query } }),
  /** @param {number} [id] all without one */
  forget: (id) => call("DELETE", id === undefined ? "history" : `history/${id}`),
};

/** A style's name in the page's language. @param {Style} style */
export const styleName = (style) => (language === "zh-CN" && style.name_zh) || style.name;

/** The address of its small picture, or null. @param {Style} style */
export const styleThumbnail = (style) => style.thumbnail && new URL(style.thumbnail.slice(1), ROOT).href;

/** An id made of a name, that is none of `taken`. @param {string} name @param {Iterable<string>} taken */
export function idOf(name, taken) {
  const known = new Set(taken);
  const plain = name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 80) || "own";
  let id = plain;
  for (let n = 2; known.has(id); n += 1) id = `${plain}-${n}`;
  return id;
}
