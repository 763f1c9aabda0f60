// Ctrl+↑ and Ctrl+↓ change how much the selected words count, as in A1111.
import { replaceText } from "./typing.js";

const STEP = 0.1;
const ADDON_STEP = 0.05;
const UNWEIGHTED = 1.1; // what parentheses without a number mean
const MOST = 10;
const BETWEEN_WORDS = /[\s,.;:!?()[\]{}<>|\\/，。、；：！？（）《》]/;

/** @param {HTMLTextAreaElement} box */
export function teachEmphasis(box) {
  box.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.isComposing) return;
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const direction = event.key === "ArrowUp" ? 1 : -1;
    const change = weighted(box.value, box.selectionStart, box.selectionEnd, direction);
    event.preventDefault();
    if (!change) return;
    replaceText(box, change.start, change.end, change.text);
    box.setSelectionRange(change.from, change.to);
  });
}

/**
 * The change that gives the selection, or the word or brackets around the caret, another weight; null
 * where there is nothing to weigh. `start` and `end` say what `text` takes the place of, `from` and
 * `to` what is selected afterwards.
 * @param {string} text @param {number} from @param {number} to @param {1|-1} direction
 */
export function weighted(text, from, to, direction) {
  const addon = addonAround(text, from, to);
  if (addon) return addonChange(addon, from, to, direction);
  [from, to] = from === to ? around(text, from) : trimmed(text, from, to);
  if (from >= to) return null;
  const words = text.slice(from, to);
  const behind = /^(?::\s*(-?\d*\.?\d+)\s*)?\)/.exec(text.slice(to));
  const inBrackets = behind && text[from - 1] === "(" && text[from - 2] !== "\\";
  const before = inBrackets ? Number(behind[1] ?? UNWEIGHTED) : 1;
  const after = rounded(before + direction * STEP);
  const [start, end] = inBrackets ? [from - 1, to + behind[0].length] : [from, to];
  const plain = after === 1;
  const at = plain ? start : start + 1;
  return { start, end, text: plain ? words : `(${words}:${after})`, from: at, to: at + words.length };
}

/** `<lora:name:weight>` around the caret. */
function addonAround(text, from, to) {
  for (const match of text.matchAll(/<(\w+:[^<>:]+)(?::(-?\d*\.?\d+))?>/g)) {
    const end = match.index + match[0].length;
    if (match.index <= from && to <= end) return { start: match.index, end, name: match[1], weight: Number(match[2] ?? 1) };
  }
  return null;
}

function addonChange({ start, end, name, weight }, from, to, direction) {
  const text = `<${name}:${Math.round((weight + direction * ADDON_STEP) * 100) / 100}>`;
  const most = start + text.length;
  return { start, end, text, from: Math.min(from, most), to: Math.min(to, most) };
}

/** The inside of the innermost weighted brackets around the caret, else the word. */
function around(text, caret) {
  return bracketsAround(text, caret) ?? wordAround(text, caret);
}

function bracketsAround(text, caret) {
  const open = unmatched(text, caret - 1, -1, "(", ")");
  const close = unmatched(text, caret, 1, ")", "(");
  if (open < 0 || close < 0) return null;
  const inside = text.slice(open + 1, close);
  const weight = /:\s*-?\d*\.?\d+\s*$/.exec(inside);
  return inside.includes("(") ? null : [open + 1, weight ? open + 1 + weight.index : close];
}

/** The place of the first bracket in a direction that belongs to the caret's own level; -1 without. */
function unmatched(text, place, step, wanted, other) {
  for (let depth = 0; place >= 0 && place < text.length; place += step) {
    if (text[place - 1] === "\\") continue;
    if (text[place] === other) depth += 1;
    if (text[place] === wanted && depth-- === 0) return place;
  }
  return -1;
}

function wordAround(text, caret) {
  let [from, to] = [caret, caret];
  while (from > 0 && !BETWEEN_WORDS.test(text[from - 1])) from -= 1;
  while (to < text.length && !BETWEEN_WORDS.test(text[to])) to += 1;
  return [from, to];
}

function trimmed(text, from, to) {
  while (from < to && /\s/.test(text[from])) from += 1;
  while (to > from && /\s/.test(text[to - 1])) to -= 1;
  return [from, to];
}

const rounded = (weight) => Math.round(Math.min(MOST, Math.max(0, weight)) * 100) / 100;
