// One's own past prompts, searched.
import { el, iconButton } from "./dom.js";
import { moment, t } from "./i18n.js";
import { createSheet } from "./sheet.js";
import { wordbook } from "./wordbook.js";

const PAUSE = 150;

/** @param {any} desk @param {{toast: any}} tools */
export function createPastPrompts(desk, { toast }) {
  const sheet = createSheet(t("history.title"), { search: t("history.search"), onSearch: later });
  let timer = 0;
  let asked = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  }

  async function attempt(work) {
    try {
      await work();
      await look();
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  }

  async function look() {
    const own = (asked += 1);
    const query = sheet.search.value.trim();
    const found = await wordbook.history(query);
    if (own !== asked) return;
    const nothing = el("p", { class: "soft sheet-nothing" }, t(query ? "history.nothing.search" : "history.nothing"));
    sheet.body.replaceChildren(...(found.length ? found.map(row) : [nothing]));
    const all = el("button", { type: "button", class: "link", onclick: () => attempt(() => wordbook.forget()) }, t("history.forget.all"));
    sheet.foot.replaceChildren(...(found.length && !query ? [all] : []));
  }

  function row(past) {
    const use = el(
      "button",
      { type: "button", class: "sheet-row", title: moment(past.used), onclick: () => take(past) },
      el("span", { class: "past-prompt", lang: "" }, past.prompt),
      past.negative_prompt ? el("span", { class: "past-prompt soft", lang: "" }, `− ${past.negative_prompt}`) : null,
    );
    return el("div", { class: "sheet-line" }, use, iconButton("bin", t("history.forget"), () => attempt(() => wordbook.forget(past.id))));
  }

  function take(past) {
    desk.write({ prompt: past.prompt, negative_prompt: past.negative_prompt });
    sheet.dialog.close();
  }

  return {
    open() {
      sheet.open();
      attempt(async () => {});
    },
  };
}
