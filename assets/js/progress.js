// A thin line that fills: for what takes minutes and is watched from the corner of the eye.
import { el } from "./dom.js";
import { t } from "./i18n.js";

export function progressLine() {
  const done = el("span", { class: "progress-done" });
  const element = el("div", { class: "progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, done);
  return {
    element,
    /** @param {number} share 0…1 @param {{active: boolean, hidden?: boolean, label: string}} how */
    show(share, { active, hidden = false, label }) {
      const percent = Math.floor(Math.min(1, share) * 100);
      element.hidden = hidden;
      element.classList.toggle("is-active", active);
      element.setAttribute("aria-label", t("named", { what: t("status.progress"), name: label }));
      element.setAttribute("aria-valuenow", String(percent));
      done.style.width = `${Math.min(1, share) * 100}%`;
    },
  };
}
