// Proportions -> width and height around a model's own size, in steps that every UNet can take.

const STEP = 32;
const PORTRAIT = 3 / 4;

/**
 * @param {string} shape "square", "portrait" or "landscape" @param {number} side the model's own size
 * @returns {{width: number, height: number}}
 */
export function sizeOf(shape, side) {
  const step = (value) => Math.max(STEP, Math.round(value / STEP) * STEP);
  const short = step(side * Math.sqrt(PORTRAIT));
  const long = step(side / Math.sqrt(PORTRAIT));
  if (shape === "portrait") return { width: short, height: long };
  if (shape === "landscape") return { width: long, height: short };
  return { width: side, height: side };
}

/** Which of the shapes this size is. @param {number} width @param {number} height @param {number} side */
export function shapeOf(width, height, side) {
  for (const shape of ["square", "portrait", "landscape"]) {
    const size = sizeOf(shape, side);
    if (size.width === width && size.height === height) return shape;
  }
  return "custom";
}
