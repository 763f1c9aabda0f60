// The picture that is being made, where it will be: over the whole picture, or shining through the mask.

const TINTS = 5; // a mask's tint is faint; so many of it are not

/** @param {() => void} redraw */
export function createPreview(redraw) {
  const surface = document.createElement("canvas");
  const context = surface.getContext("2d");
  let shown = "";
  let image = null;
  let place = null;

  return {
    /** @param {string} url empty for none @param {import("./raster.js").Box|null} [box] where it lies, in the picture's pixels */
    show(url, box = null) {
      if (url === shown) return;
      shown = url;
      place = box;
      if (!url) {
        image = null;
        redraw();
        return;
      }
      const next = new Image();
      next.src = url;
      next.decode().then(() => shown === url && ((image = next), redraw()), () => {});
    },
    /**
     * @param {CanvasRenderingContext2D} onto
     * @param {{surface: HTMLCanvasElement, step: number}|null} mask what it shines through; null where all is drawn
     */
    paint(onto, mask) {
      if (!image || !place) return;
      const [width, height] = [place.right - place.left, place.bottom - place.top];
      if (!mask) {
        onto.drawImage(image, place.left, place.top, width, height);
        return;
      }
      [surface.width, surface.height] = [mask.surface.width, mask.surface.height];
      for (let times = 0; times < TINTS; times += 1) context.drawImage(mask.surface, 0, 0);
      context.globalCompositeOperation = "source-in";
      context.setTransform(1 / mask.step, 0, 0, 1 / mask.step, 0, 0);
      context.drawImage(image, place.left, place.top, width, height);
      context.globalCompositeOperation = "source-over";
      onto.drawImage(surface, 0, 0, surface.width * mask.step, surface.height * mask.step);
    },
  };
}
