// What the server would not take: each sentence beside what it is about.
import { t } from "../i18n.js";

/**
 * @param {{draft: any, desk: any, timeline: any, settings: any, notice: any, shared: string[]}} places
 *   `shared`: the desk's fields, whatever keyframe they were found wrong in
 * @returns {(error: import("../api.js").ApiError) => void}
 */
export function createRefusals({ draft, desk, timeline, settings, notice, shared }) {
  /** The input that a sentence now stands beside; null for what is not in this room. */
  function beside({ field, message }) {
    const [where, place, name] = field.split(".");
    const keyframe = where === "keyframes" ? draft.keyframes[Number(place)] : null;
    if (keyframe && !(shared.includes(name) && keyframe[name] == null)) return timeline.card(keyframe.id).problem(name, message);
    return settings.has(field) ? settings.problem(field, message) : null;
  }

  return (error) => {
    const inputs = [];
    /** @type {Map<string, string>} */
    const others = new Map();
    for (const problem of error.problems ?? []) {
      const input = beside(problem);
      const name = problem.field.split(".").at(-1);
      if (input) inputs.push(input);
      else if (!others.has(name)) others.set(name, problem.message);
    }
    inputs[0]?.focus();
    const onDesk = [...others].filter(([field]) => desk.has(field)).map(([field, message]) => ({ field, message }));
    if (onDesk.length) desk.problems(onDesk);
    if (!error.status) notice.show({ title: t("lost.title"), text: t("lost.text") });
    else if (inputs.length + onDesk.length < Math.max(1, others.size)) notice.show({ title: t("refused.title"), text: error.message });
  };
}
