// The styles there are: searched, put on and taken off, one's own changed.
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { createSheet } from "./sheet.js";
import { styleForm, takeFile } from "./styleform.js";
import { styleName, styleThumbnail, wordbook } from "./wordbook.js";

const GROUPS = ["own", "photograph", "painting", "print", "craft", "animation", "design"];

/**
 * @param {{chosen: () => string[], choose: (id: string, wanted: boolean) => void,
 *   all: () => Map<string, import("./wordbook.js").Style>, reload: () => Promise<void>, toast: any}} tools
 */
export function createStylePicker({ chosen, choose, all, reload, toast }) {
  const sheet = createSheet(t("styles.title"), { class: "styles-sheet", search: t("styles.search"), onSearch: list });
  const attempt = async (work) => {
    try {
      await work();
      await reload();
      list(sheet.search.value.trim());
    } catch (error) {
      toast.show(error.message || t("lost.title"));
    }
  };

  function list(query = "") {
    sheet.search.hidden = false;
    const wanted = query.toLowerCase();
    const found = [...all().values()].filter((style) => `${style.name} ${style.name_zh} ${style.prompt} ${style.id}`.toLowerCase().includes(wanted));
    const groups = GROUPS.map((group) => [group, found.filter((style) => groupOf(style) === group)]).filter(([, members]) => members.length);
    sheet.body.replaceChildren(
      ...groups.map(([group, members]) =>
        el("section", { class: "style-group" }, el("h3", {}, t(`styles.group.${group}`)), el("div", { class: "style-grid" }, ...members.map(tile))),
      ),
      ...(found.length ? [] : [el("p", { class: "soft sheet-nothing" }, t("styles.nothing"))]),
    );
    sheet.foot.replaceChildren(...footer());
    refresh();
  }

  const groupOf = (style) => (style.own ? "own" : GROUPS.includes(style.group) ? style.group : "design");

  function tile(style) {
    const name = styleName(style);
    const picture = styleThumbnail(style);
    const face = picture
      ? el("img", { class: "style-face", src: picture, alt: "", loading: "lazy", width: 48, height: 48 })
      : el("span", { class: "style-face", "aria-hidden": "true" }, [...name][0]);
    const button = el(
      "button",
      { type: "button", class: "style-tile", "data-style": style.id, "aria-pressed": "false", title: style.prompt, onclick: () => choose(style.id, !chosen().includes(style.id)) },
      face,
      el("span", { class: "style-name" }, name),
    );
    return el("div", { class: "style-cell" }, button, iconButton("edit", t("styles.edit", { name }), () => edit(style)));
  }

  function footer() {
    const own = [...all().values()].some((style) => style.own);
    const button = (label, run) => el("button", { type: "button", class: "link", onclick: run }, label);
    const file = (form) => el("a", { class: "link", href: wordbook.stylesFile(form), download: `styles.${form}` }, t(`styles.export.${form}`));
    return [
      button(t("styles.new"), () => edit(null)),
      button(t("styles.import"), () => takeFile((text) => attempt(async () => {
        const taken = await wordbook.takeStyles(text);
        toast.show(t("styles.taken", { n: taken.length }));
      }))),
      ...(own ? [file("csv"), file("json")] : []),
    ];
  }

  function edit(style) {
    sheet.search.hidden = true;
    const back = () => list(sheet.search.value.trim());
    const form = styleForm(style, {
      taken: all().keys(),
      onKeep: (id, values) => attempt(() => wordbook.keepStyle(id, values)),
      onDrop: (id) => attempt(async () => {
        const worn = chosen().includes(id);
        choose(id, false); // first: until the list is new the desk would ask about a style that is gone
        await wordbook.dropStyle(id).finally(reload);
        if (worn && all().has(id)) choose(id, true); // one that is shipped, changed and now as it was
      }),
      onLeave: back,
    });
    sheet.body.replaceChildren(form);
    sheet.foot.replaceChildren();
    form.querySelector("input")?.focus();
  }

  function refresh() {
    const worn = chosen();
    for (const button of sheet.body.querySelectorAll("[data-style]")) {
      button.setAttribute("aria-pressed", String(worn.includes(button.dataset.style)));
    }
  }

  return {
    open() {
      list();
      sheet.open();
      attempt(async () => {});
    },
    /** What is put on has changed. */
    refresh,
  };
}
