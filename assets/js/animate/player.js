// The screen and the scrubber: frames as they are made, or the film of them.
import { el, iconButton } from "../dom.js";
import { t } from "../i18n.js";

const LARGEST = 4; // a small picture is not blown up further than this
const KEPT = 400; // frames that stay loaded

/**
 * What is played. `order`: the frames that can be shown, in their order; `total`: how many there will be, which are
 * all there once it is `ready`. `film`: the address of a video of exactly these, or null.
 * @typedef {{key: string, order: number[], total: number, frame: (k: number) => string, film: string|null, fps: number,
 *   ready: boolean, loop: boolean, sound?: boolean, width: number, height: number, alt: string, preview?: string, autoplay?: boolean}} Reel
 */

/**
 * @param {HTMLElement} screen @param {HTMLElement} bar
 */
export function createPlayer(screen, bar) {
  const image = el("img", { class: "player-picture", alt: "", decoding: "sync", draggable: false });
  const video = el("video", { class: "player-picture", muted: true, playsInline: true, preload: "auto", hidden: true, disablePictureInPicture: true });
  const slider = el("input", { type: "range", class: "slide scrub", min: "0", max: "0", step: "1", value: "0", "aria-label": t("animate.scrub"), oninput: scrubbed });
  const play = iconButton("play", t("animate.play"), toggle, { keys: t("key.space") });
  const figures = el("span", { class: "figures soft player-figures" });
  screen.append(image, video);
  bar.append(play, slider, figures);
  /** @type {Reel|null} */
  let reel = null;
  let at = 0;
  let following = true; // the newest frame is shown as it comes
  let playing = false;
  let began = 0;
  /** @type {Map<string, HTMLImageElement>} */
  const loaded = new Map();
  const broken = new Set(); // films that this browser cannot play

  const isVideo = () => Boolean(reel?.film && !broken.has(reel.film));
  const count = () => (isVideo() && video.duration ? Math.max(1, Math.round(video.duration * reel.fps)) : reel?.order.length ?? 0);
  const wantsCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** The frame's picture, which is on its way from now on. */
  function load(frame) {
    const address = reel.frame(frame);
    let picture = loaded.get(address);
    if (!picture) {
      picture = new Image();
      picture.onload = () => picture === loaded.get(reel?.frame(reel.order[at])) && draw();
      picture.src = address;
      loaded.set(address, picture);
      if (loaded.size > KEPT) loaded.delete(loaded.keys().next().value);
    }
    return picture;
  }

  const isThere = (picture) => picture.complete && picture.naturalWidth > 0;

  function draw() {
    if (!reel) return;
    const most = Math.max(reel.total, count()) - 1;
    const shown = Math.min(at, Math.max(count() - 1, 0));
    slider.max = String(Math.max(most, 0));
    slider.value = String(shown);
    slider.disabled = play.disabled = !count();
    slider.style.setProperty("--filled", `${most > 0 ? (100 * Math.max(count() - 1, 0)) / most : 0}%`);
    const place = { frame: count() ? shown + 1 : 0, frames: most + 1, time: (shown / reel.fps).toFixed(1), length: ((most + 1) / reel.fps).toFixed(1) };
    slider.setAttribute("aria-valuetext", t("animate.place", place));
    figures.textContent = t("animate.figures", place);
    screen.style.setProperty("--aspect", String(reel.width / reel.height));
    screen.style.setProperty("--most", `${reel.width * LARGEST}px`);
    [image.hidden, video.hidden] = [isVideo(), !isVideo()];
    if (isVideo()) return;
    if (!reel.order.length) {
      if (reel.preview && image.src !== reel.preview) image.src = reel.preview;
      image.hidden = !reel.preview;
      return;
    }
    const picture = load(reel.order[shown]);
    if (isThere(picture) && image.src !== picture.src) image.src = picture.src;
  }

  /** @param {number} place */
  function seek(place) {
    at = Math.max(0, Math.min(count() - 1, place));
    if (isVideo()) video.currentTime = (at + 0.5) / reel.fps;
    draw();
  }

  function scrubbed() {
    pause();
    seek(Number(slider.value));
    following = at >= count() - 1;
  }

  function setPlaying(is) {
    playing = is;
    const label = t(is ? "animate.pause" : "animate.play");
    play.querySelector("use").setAttribute("href", play.querySelector("use").getAttribute("href").replace(/#.*/, is ? "#pause" : "#play"));
    play.setAttribute("aria-label", label);
    play.title = t("named.keys", { what: label, keys: t("key.space") });
  }

  function start() {
    if (!reel || !count()) return;
    following = false;
    setPlaying(true);
    if (at >= count() - 1) at = 0;
    began = performance.now() - (at * 1000) / reel.fps;
    if (isVideo()) {
      if (at === 0) video.currentTime = 0;
      video.play().catch(() => setPlaying(false));
    }
    requestAnimationFrame(run);
  }

  function pause() {
    setPlaying(false);
    video.pause();
  }

  function toggle() {
    playing ? pause() : start();
  }

  /** One turn of the clock. Frames that are still on their way are waited for. */
  function run(now) {
    if (!playing || !reel) return;
    if (isVideo()) at = Math.min(count() - 1, Math.floor(video.currentTime * reel.fps));
    else advance(now);
    draw();
    if (isVideo() && video.ended) return void setPlaying(false);
    requestAnimationFrame(run);
  }

  function advance(now) {
    let place = Math.floor(((now - began) * reel.fps) / 1000);
    if (place >= count()) {
      if (!reel.loop && reel.order.length >= reel.total) return pause();
      [place, began] = [0, now];
    }
    for (let ahead = 1; ahead <= 6; ahead += 1) load(reel.order[(place + ahead) % reel.order.length]);
    if (isThere(load(reel.order[place]))) at = place;
    else began = now - (at * 1000) / reel.fps;
    return undefined;
  }

  video.addEventListener("loadedmetadata", () => (seek(at), reel?.autoplay && !wantsCalm() && start()));
  video.addEventListener("error", () => {
    if (!reel?.film) return;
    broken.add(reel.film);
    pause();
    draw();
  });

  return {
    toggle,
    pause,
    /** @param {Reel|null} next */
    show(next) {
      const before = reel;
      reel = next;
      if (!next) return void (pause(), video.removeAttribute("src"), image.removeAttribute("src"));
      if (before?.key !== next.key) {
        pause();
        image.removeAttribute("src");
        [at, following] = [0, true];
      }
      image.alt = next.alt;
      video.setAttribute("aria-label", next.alt);
      video.loop = next.loop;
      video.muted = !next.sound;
      if (next.film && before?.film !== next.film) {
        pause();
        at = 0;
        video.src = next.film;
      } else if (!next.film && before?.film) {
        pause();
        video.removeAttribute("src");
        following = true;
      }
      if (following && !playing && !next.film) at = Math.max(0, next.order.length - 1);
      draw();
      const becameReady = next.ready && !next.film && !(before?.ready && before.key === next.key);
      if (becameReady && next.autoplay && !wantsCalm()) start();
      return undefined;
    },
  };
}
