// Which frame of an animation stands where: the same counting as the server's plan, and nothing else.

/**
 * @typedef {{frames: number, hold: number}} Key how it goes on from a keyframe, and for how long it stands still
 * @typedef {{keyframes: Key[], loop: boolean, ping_pong: boolean}} Course
 */

/** A recipe's keyframes with what they share. @param {Record<string, any>} recipe @returns {Record<string, any>[]} */
export const wholeKeyframes = ({ keyframes, ...shared }) => keyframes.map((own) => ({ ...shared, ...own }));

/** The keyframes that a way leads on from: all, in a loop, or all but the last. @param {Course} course */
const starts = ({ keyframes, loop }) => (loop ? keyframes : keyframes.slice(0, -1));

/** The frame that shows each keyframe. @param {Course} course @returns {number[]} */
export function keyFrames({ keyframes }) {
  let at = 0;
  return keyframes.map(({ frames }) => ((at += frames), at - frames));
}

/** How many frames are painted. @param {Course} course */
export const frameCount = (course) => starts(course).reduce((sum, { frames }) => sum + frames, course.loop ? 0 : 1);

/**
 * The frames in the order that a film shows them, of the first `count` alone.
 * @param {Course} course @param {number} [count] @returns {number[]}
 */
export function playedOrder(course, count = frameCount(course)) {
  const holds = new Map(keyFrames(course).map((frame, k) => [frame, course.keyframes[k].hold ?? 0]));
  const times = (frame) => 1 + (holds.get(frame) ?? 0);
  const forth = Array.from({ length: count }, (_, frame) => Array(times(frame)).fill(frame)).flat();
  if (!course.ping_pong || !forth.length) return forth;
  const back = forth.slice(0, forth.length - times(count - 1)).reverse();
  return [...forth, ...back.slice(0, Math.max(back.length - times(0), 0))];
}
