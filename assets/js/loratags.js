// <lora:name:0.8> within a prompt: found, added, taken out, given another weight.

const TAG = /<lora:([^<>\n]+)>/g;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/;
/** No tag can hold a name with these. */
const UNSPEAKABLE = /[<>:\n]/;

/**
 * The tags in a prompt; weight is that on the UNet. What the server does not take for one is none here.
 * @param {string} text @returns {{name: string, weight: number, start: number, end: number, items: string[]}[]}
 */
export function tagsIn(text) {
  return [...text.matchAll(TAG)].flatMap((match) => {
    const [name, ...items] = match[1].split(":").map((each) => each.trim());
    const weight = weightOf(items);
    if (!name || weight === null) return [];
    return [{ name, weight, items, start: match.index, end: match.index + match[0].length }];
  });
}

/** Like "0.8", "0.5:1" (text encoder, UNet), "te=0.5:unet=1"; null when it is nothing of the kind. */
function weightOf(items) {
  if (items.length > 2) return null;
  const weights = {};
  for (const [place, item] of items.entries()) {
    const [key, value] = item.includes("=") ? item.split("=").map((each) => each.trim()) : [["te", "unet"][place], item];
    if (!["te", "unet"].includes(key) || !NUMBER.test(value)) return null;
    weights[key] = Number(value);
  }
  return weights.unet ?? weights.te ?? 1;
}

/** Can a tag say this name? @param {string} name */
export const isSpeakable = (name) => !UNSPEAKABLE.test(name) && name === name.trim();

/** The prompt with a LoRA at its end. @param {string} text @param {string} name @param {number} weight */
export const withTag = (text, name, weight) => `${text}${text && !/\s$/.test(text) ? " " : ""}<lora:${name}:${figure(weight)}>`;

/** The prompt without a tag, nor the space before it. @param {string} text @param {{start: number, end: number}} tag */
export function withoutTag(text, { start, end }) {
  return `${text.slice(0, start).replace(/ $/, "")}${text.slice(end)}`.replace(/^ /, "");
}

/**
 * The prompt with another weight in a tag. A weight of its own for the text encoder stays as it is.
 * @param {string} text @param {{name: string, start: number, end: number, items: string[]}} tag @param {number} weight
 */
export function weighed(text, { name, start, end, items }, weight) {
  const own = items.filter((item, place) => !item.startsWith("unet") && (items.length > 1 ? place === 0 || item.includes("=") : item.startsWith("te")));
  const unet = own.length ? [...own, `unet=${figure(weight)}`] : [figure(weight)];
  return `${text.slice(0, start)}<lora:${[name, ...unet].join(":")}>${text.slice(end)}`;
}

const figure = (weight) => String(Number(weight.toFixed(2)));
