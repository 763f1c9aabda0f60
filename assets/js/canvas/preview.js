// The picture that is being made, where it will be: over the whole picture, or shining through the mask.

/** @param {() => void} redraw */
export function createPreview(redraw) {
  const surface = document.createElement("canvas");
  const context = surface.getContext("2d");
  let shown = "";
  let image = null;

  return {
    /** @param {string} url empty for none */
    show(url) {
      if (url === shown) return;
      shown = url;
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
     * @param {CanvasRenderingContext2D} onto @param {import("./raster.js").Box} box where it lies, in the picture's pixels
     * @param {HTMLCanvasElement|null} mask what of the box it shows through, or all of it
     */
    paint(onto, { left, top, right, bottom }, mask) {
      if (!image) return;
      if (!mask) {
        onto.drawImage(image, left, top, right - left, bottom - top);
        return;
      }
      [surface.width, surface.height] = [mask.width, mask.height];
      for (let times = 0; times < 5; times += 1) context.drawImage(mask, 0, 0); // the tint is faint; five of it are not
      context.globalCompositeOperation = "source-in";
      context.drawImage(image, 0, 0, surface.width, surface.height);
      context.globalCompositeOperation = "source-over";
      onto.drawImage(surface, left, top, right - left, bottom - top);
    },
  };
}
