// The page's words. They come with the page itself (#studio-data), in both languages.

const data = JSON.parse(document.getElementById("studio-data")?.textContent ?? '{"words":{}}');

/** "en" or "zh-CN"; boot.js has chosen it. */
export const language = document.documentElement.lang === "zh-CN" ? "zh-CN" : "en";

const words = data.words[language] ?? {};
const fallback = data.words.en ?? {};

/**
 * The text for `key`, with {name} filled in. With `n`, "key.one" is taken for one of a thing.
 * @param {string} key
 * @param {Record<string, string|number>} [values]
 */
export function t(key, values = {}) {
  const spoken = key in words ? words : fallback;
  const text = (values.n === 1 && spoken[`${key}.one`]) || (spoken[key] ?? key);
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Is there a text for `key`? @param {string} key */
export function has(key) {
  return key in words || key in fallback;
}

/** Stores the language and starts the page afresh in it. @param {string} wanted */
export function switchLanguage(wanted) {
  try {
    localStorage.setItem("studio.language", wanted);
  } catch {
    return; // without storage the browser's own language stays
  }
  location.reload();
}

const number = new Intl.NumberFormat(language);

/** A whole number with separators. @param {number} value */
export const count = (value) => number.format(value);

/** Seconds as people say them: "0.4 s", "12 s", "2 min 05 s". @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return t("time.seconds", { n: seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds) });
  const whole = Math.round(seconds);
  return t("time.minutes", { m: Math.floor(whole / 60), s: String(whole % 60).padStart(2, "0") });
}

/** Bytes as kB, MB or GB. @param {number} bytes */
export function size(bytes) {
  if (bytes < 2 ** 20) return `${Math.ceil(bytes / 1024)} kB`;
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 2 ** 20))} MB`;
}

/** A day and time in the reader's own way. @param {number} epoch seconds */
export function moment(epoch) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(epoch * 1000);
}
