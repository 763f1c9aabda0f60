// A picture at its own size and at halves of it: drawing a large one small is then no more work.

/**
 * @typedef {{width: number, height: number, at: (scale: number) => CanvasImageSource}} Levels
 * @param {string} url @returns {Promise<Levels>} throws where there is no picture
 */
export async function loadLevels(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const whole = await createImageBitmap(image);
  const levels = [whole];

  function half(level) {
    const surface = document.createElement("canvas");
    [surface.width, surface.height] = [Math.max(1, level.width >> 1), Math.max(1, level.height >> 1)];
    const context = surface.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(level, 0, 0, surface.width, surface.height);
    return surface;
  }

  return {
    width: whole.width,
    height: whole.height,
    /** The smallest level that has enough pixels. @param {number} scale of the picture on the screen */
    at(scale) {
      let level = 0;
      for (let size = 0.5; size >= scale && Math.max(whole.width, whole.height) * size > 64; size /= 2) {
        level += 1;
        if (!levels[level]) levels[level] = half(levels[level - 1]);
      }
      return levels[level];
    },
  };
}
