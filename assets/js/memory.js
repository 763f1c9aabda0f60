// The memory meter: what is in use of the device's memory, and by which models.
import { el } from "./dom.js";
import { size, t } from "./i18n.js";

export function createMemory() {
  const used = el("span", { class: "meter-used" });
  const bar = el("span", { class: "meter-bar", role: "meter", "aria-label": t("memory.title"), "aria-valuemin": "0", "aria-valuemax": "100" }, used);
  const words = el("p", { class: "meter-words figures" });
  const note = el("p", { class: "meter-note soft", hidden: true });
  const element = el("div", { class: "meter", hidden: true }, words, bar);

  return {
    element,
    /** What takes the memory, in a sentence of its own. */
    note,
    /** @param {{device?: string|null, total: number|null, used: number|null, plan?: string|null, resident?: any[]|null}} held */
    show({ device, total, used: bytes, plan: how, resident }) {
      element.hidden = !device;
      if (!device) return;
      const known = Boolean(total) && bytes !== null;
      const share = known ? Math.min(1, bytes / total) : 0;
      bar.hidden = !known;
      bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
      bar.setAttribute("aria-valuetext", known ? t("memory.used", { used: size(bytes), total: size(total) }) : "");
      used.style.width = `${share * 100}%`;
      words.replaceChildren(
        el("span", {}, device),
        known ? el("span", { class: "soft" }, t("memory.used", { used: size(bytes), total: size(total) })) : "",
      );
      const weights = (resident ?? []).reduce((sum, each) => sum + (each.bytes ?? 0), 0);
      const models = weights ? t("memory.models", { n: resident.length, size: size(weights) }) : "";
      note.textContent = [models, how].filter(Boolean).join(" · ");
      note.hidden = !note.textContent;
    },
  };
}
