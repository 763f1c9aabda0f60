// Everything ever made, newest first: a wall that grows as one scrolls, a search, favourites, the bin.
import { pictures } from "./api.js";
import { el, iconButton } from "./dom.js";
import { count, t } from "./i18n.js";
import { roving } from "./roving.js";

const PAGE = 60;
const TYPING = 220;

/**
 * @param {HTMLElement} root
 * @param {{actions: any, lightbox: any}} tools
 */
export function createGallery(root, { actions, lightbox }) {
  const search = el("input", { type: "search", class: "search", placeholder: t("gallery.search"), "aria-label": t("gallery.search") });
  const total = el("span", { class: "soft figures", role: "status" });
  const empty = el("button", { type: "button", class: "quiet-button empty-bin", hidden: true, onclick: emptyBin }, t("bin.empty"));
  const filters = ["all", "favourites", "bin"].map((name) =>
    el("button", { type: "button", class: "filter", "data-filter": name, onclick: () => choose(name) }, t(`filter.${name}`)),
  );
  const wall = el("div", { class: "wall", role: "group", "aria-label": t("tab.gallery") });
  const nothing = el("div", { class: "nothing", hidden: true });
  const end = el("div", { class: "wall-end", "aria-hidden": "true" });
  root.replaceChildren(
    el("h1", { class: "sr-only" }, t("tab.gallery")),
    el("div", { class: "gallery-head" }, search, el("div", { class: "filters", role: "group", "aria-label": t("filters") }, ...filters), total, empty),
    nothing,
    wall,
    end,
  );
  const walk = roving(wall, ".tile-open");
  let filter = "all";
  let list = [];
  let next = null;
  let asked = 0;
  let loading = null;
  let stale = true;

  function choose(name) {
    filter = name;
    refresh();
  }

  async function refresh() {
    for (const button of filters) button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
    stale = false;
    next = null;
    const turn = ++asked;
    const found = await ask(null).catch((error) => ({ error }));
    if (turn !== asked) return;
    if (found.error) {
      stale = true;
      [list, next] = [[], null];
      wall.replaceChildren();
      say(t("lost.title"), found.error.message || t("lost.text"));
      return;
    }
    list = found.pictures;
    next = found.next;
    wall.replaceChildren(...list.map(tile));
    tell(found.total);
    walk.refresh();
    lookAgain();
  }

  const ask = (before) =>
    pictures.search({ query: search.value.trim(), favourites: filter === "favourites", trashed: filter === "bin", limit: PAGE, before });

  /** The next page, once at a time; the list so far when there is no more. */
  function more() {
    if (!next || loading) return loading ?? Promise.resolve(null);
    const turn = asked;
    loading = ask(next)
      .then((found) => {
        if (turn !== asked) return list;
        const known = new Set(list.map((picture) => picture.id));
        const fresh = found.pictures.filter((picture) => !known.has(picture.id));
        list = [...list, ...fresh];
        next = found.next;
        wall.append(...fresh.map(tile));
        walk.refresh();
        return list;
      })
      .catch(() => list)
      .finally(() => {
        loading = null;
        lookAgain();
      });
    return loading;
  }

  function tile(picture) {
    const { prompt } = picture.request;
    const image = el("img", {
      src: pictures.thumbnail(picture.id), alt: "", loading: "lazy", draggable: false,
      width: picture.width, height: picture.height,
    });
    const open = el(
      "button",
      { type: "button", class: "tile-open", "aria-label": t("gallery.open", { prompt: prompt || t("prompt.none") }),
        onclick: () => lightbox.open(list, list.findIndex((each) => each.id === picture.id), more) },
      image,
    );
    const box = el("div", { class: "tile", "data-id": picture.id }, open, corner(picture));
    box.style.setProperty("--aspect", String(picture.width / picture.height));
    return box;
  }

  function corner(picture) {
    if (picture.trashed) return iconButton("restore", t("action.restore"), () => actions.restore([picture]), { class: "tile-corner is-on" });
    const on = picture.favourite;
    const heart = iconButton(on ? "heart-full" : "heart", t(on ? "action.unfavourite" : "action.favourite"), () => actions.favourite(picture), {
      class: `tile-corner ${on ? "is-on" : ""}`,
    });
    heart.setAttribute("aria-pressed", String(on));
    return heart;
  }

  function tell(found) {
    total.textContent = found ? t("gallery.count", { n: found === 1 ? 1 : count(found) }) : "";
    total.dataset.n = String(found);
    empty.hidden = filter !== "bin" || !found;
    nothing.hidden = found > 0;
    if (!found) {
      const kind = search.value.trim() ? "search" : filter;
      say(t(`nothing.${kind}`), t(`nothing.${kind}.text`));
    }
  }

  function say(title, text) {
    nothing.hidden = false;
    nothing.replaceChildren(el("p", { class: "nothing-title" }, title), el("p", { class: "soft" }, text));
  }

  /** The first press asks, the second does it: what leaves the bin is gone. */
  async function emptyBin() {
    if (empty.dataset.sure !== "yes") {
      empty.dataset.sure = "yes";
      empty.textContent = t("bin.sure");
      setTimeout(settle, 4000);
      return;
    }
    settle();
    await pictures.emptyBin().catch(() => null);
    refresh();
  }

  function settle() {
    delete empty.dataset.sure;
    empty.textContent = t("bin.empty");
  }

  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(refresh, TYPING);
  });
  const coming = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && more(), { rootMargin: "800px" });

  /** Has the observer tell anew whether the wall's end is near: of an end that stays near it says nothing. */
  function lookAgain() {
    coming.unobserve(end);
    coming.observe(end);
  }

  lookAgain();

  actions.listen((what, which) => {
    if (what === "desk") return;
    stale = true;
    for (const picture of which) {
      const box = [...wall.children].find((each) => each.dataset.id === picture.id);
      if (what === "favourite" && box) {
        list = list.map((each) => (each.id === picture.id ? { ...each, favourite: picture.favourite } : each));
        box.lastElementChild.replaceWith(corner({ ...picture }));
      } else if (box) {
        box.remove();
        list = list.filter((each) => each.id !== picture.id);
        tell(Math.max(0, Number(total.dataset.n) - 1));
      } else if (document.documentElement.dataset.room === "gallery") refresh();
    }
    walk.refresh();
  });

  return {
    /** The tab is opened. */
    enter: () => stale && refresh(),
    /** Something new was made. */
    outdated() {
      stale = true;
      if (document.documentElement.dataset.room === "gallery") refresh();
    },
    search,
  };
}
