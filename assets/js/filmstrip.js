// This session's pictures, newest left. While a job runs, its own frame stands first.
import { jobs, pictures } from "./api.js";
import { el, keepLoading } from "./dom.js";
import { t } from "./i18n.js";
import { roving } from "./roving.js";

const MOST = 120;

/**
 * @param {HTMLElement} root
 * @param {{onShow: (id: string) => void, onLive: () => void}} listener
 */
export function createFilmstrip(root, { onShow, onLive }) {
  const row = el("div", { class: "strip-row", role: "group", "aria-label": t("strip") });
  const live = el("button", { type: "button", class: "frame frame-live", onclick: onLive, "aria-label": t("strip.live") });
  root.append(row);
  const walk = roving(row, ".frame", { onWalk: (frame) => frame.click() });
  const frames = new Map();
  let mini = "";

  function frameOf(picture) {
    const image = el("img", { alt: "", loading: "lazy", draggable: false });
    keepLoading(image, pictures.thumbnail(picture.id));
    return el(
      "button",
      {
        type: "button",
        class: "frame",
        "data-id": picture.id,
        "aria-label": t("strip.picture", { prompt: picture.request.prompt || t("prompt.none") }),
        onclick: () => onShow(picture.id),
      },
      image,
    );
  }

  return {
    /** @param {import("./recipe.js").Picture} picture */
    add(picture) {
      if (frames.has(picture.id)) return;
      const frame = frameOf(picture);
      frames.set(picture.id, frame);
      const older = [...row.querySelectorAll(".frame[data-id]")].find((other) => newer(picture, other));
      row.insertBefore(frame, older ?? null);
      if (frames.size > MOST) {
        const last = row.lastElementChild;
        frames.delete(last.dataset.id);
        last.remove();
      }
      root.classList.add("has-pictures");
      walk.refresh();
    },
    /** @param {string} id */
    remove(id) {
      frames.get(id)?.remove();
      frames.delete(id);
      root.classList.toggle("has-pictures", frames.size > 0);
      walk.refresh();
    },
    /** The frame of the job that runs; null when none does. @param {any} job */
    live(job) {
      if (!job) {
        live.remove();
        mini = "";
        live.style.backgroundImage = "";
      } else if (!live.isConnected) row.prepend(live);
      const version = job?.preview_version;
      if (version && mini !== `${job.id}/${version}`) {
        mini = `${job.id}/${version}`;
        live.style.backgroundImage = `url("${jobs.preview(job.id, version)}")`;
      }
      walk.refresh();
    },
    /** Marks what the stage shows: a picture's id or "live". @param {string} id */
    mark(id) {
      for (const frame of row.children) {
        const shown = (frame.dataset.id ?? "live") === id;
        if (shown) frame.setAttribute("aria-current", "true");
        else frame.removeAttribute("aria-current");
      }
    },
  };

  function newer(picture, other) {
    const [job, index] = [order.get(other.dataset.id)?.created ?? 0, order.get(other.dataset.id)?.index ?? 0];
    order.set(picture.id, picture);
    return picture.created > job || (picture.created === job && picture.index > index);
  }
}

/** What has been hung, for the order of the strip. @type {Map<string, import("./recipe.js").Picture>} */
const order = new Map();
