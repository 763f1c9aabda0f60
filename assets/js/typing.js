// Changing what is typed so that the browser's own undo still works.

/**
 * Puts `text` in place of a part of what a box holds, and the caret behind it.
 * @param {HTMLTextAreaElement} box @param {number} start @param {number} end @param {string} text
 */
export function replaceText(box, start, end, text) {
  box.focus();
  box.setSelectionRange(start, end);
  const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
  if (done) return;
  box.setRangeText(text, start, end, "end");
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
