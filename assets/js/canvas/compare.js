// Before and after: a line over the result, with the picture it was made from on its left.
import { el } from "../dom.js";
import { t } from "../i18n.js";

/**
 * @param {HTMLElement} root the window on the picture
 * @param {{view: any, onChange: () => void}} tools
 */
export function createCompare(root, { view, onChange }) {
  const slider = el("input", {
    type: "range", class: "canvas-compare", min: "0", max: "100", step: "0.5", value: "50", hidden: true, "aria-label": t("canvas.compare"),
    oninput: onChange,
  });
  root.append(slider);
  let before = null; // {levels, at, width, height}

  /** The slider lies on what of the picture can be seen. */
  function place() {
    if (slider.hidden) return;
    const [left, width] = visible();
    slider.style.left = `${left}px`;
    slider.style.width = `${width}px`;
  }

  function visible() {
    const [window, picture] = [root.getBoundingClientRect(), view.extent.getBoundingClientRect()];
    const left = Math.max(0, picture.left - window.left);
    return [left, Math.min(window.width, picture.right - window.left) - left];
  }

  root.addEventListener("view", place);
  return {
    /** @param {{levels: any, at: number[]}|null} picture the one from before; null for none */
    show(picture) {
      if (Boolean(picture) !== !slider.hidden) slider.value = "50";
      before = picture;
      slider.hidden = !picture;
      place();
    },
    /** Draws the part from before over the result. @param {CanvasRenderingContext2D} context @param {number} scale */
    paint(context, scale) {
      if (!before) return;
      const { levels, at: [x, y] } = before;
      const [left, width] = visible();
      const share = Number(slider.value) / 100;
      const line = view.toPicture({ clientX: root.getBoundingClientRect().left + left + 10 + (width - 20) * share, clientY: 0 }).x;
      context.save();
      context.beginPath();
      context.rect(-1e5, -1e5, 1e5 + line, 2e5);
      context.clip();
      context.clearRect(-1e5, -1e5, 2e5, 2e5);
      context.drawImage(levels.at(scale), x, y, levels.width, levels.height);
      context.restore();
      context.fillStyle = "#fff";
      context.fillRect(line - 1 / scale, 0, 2 / scale, view.extent.clientHeight / view.scale);
    },
  };
}
