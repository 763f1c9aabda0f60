// The part of a picture that the model sees when only what is masked is drawn, as the server finds it
// (studio/images/frame.py, box_around).

const REACH = 3; // standard deviations after which a blurred edge is over

/**
 * @param {import("./raster.js").Box} mask the box around it
 * @param {{mask_blur: number, inpaint_padding: number, width: number, height: number}} request
 * @param {{width: number, height: number}} picture @returns {import("./raster.js").Box}
 */
export function boxAround(mask, { mask_blur, inpaint_padding, width, height }, picture) {
  const around = REACH * mask_blur + inpaint_padding;
  const across = [Math.max(0, mask.left - around), Math.min(picture.width, mask.right + around)];
  const down = [Math.max(0, mask.top - around), Math.min(picture.height, mask.bottom + around)];
  const lengths = [across[1] - across[0], down[1] - down[0]];
  const [left, right] = widened(across, Math.max(lengths[0], Math.round((lengths[1] * width) / height)), picture.width);
  const [top, bottom] = widened(down, Math.max(lengths[1], Math.round((lengths[0] * height) / width)), picture.height);
  return { left, top, right, bottom };
}

function widened([start, end], wanted, limit) {
  const length = Math.min(wanted, limit);
  const from = Math.min(Math.max(0, Math.floor((start + end - length) / 2)), limit - length);
  return [from, from + length];
}
