// The desk's memory and manners. Gradio draws the controls; what they hold is known here, kept in the
// browser, and written back through one hidden button (#desk-write), so that no round trip is needed.
import { memory } from "./dom.js";
import { createProblems } from "./problems.js";
import { sizeOf, shapeOf } from "./shapes.js";
import { t } from "./i18n.js";

const NOT_IN_A_REQUEST = ["shape"];

/**
 * @param {{fields: string[], values: Record<string, any>}} facts the controls in their order, and first values
 * @param {{models: Map<string, any>, samplers: Map<string, any>}} tools
 */
export function createDesk(facts, { models, samplers }) {
  const { fields } = facts;
  /** @type {Record<string, any>} */
  let held = { ...facts.values, shape: "square", seed: null, prompt: "", negative_prompt: "" };
  let pending = {};
  let saving = 0;
  const problems = createProblems(showField);
  const listeners = { ticket: null, ordered: null, refused: null, unknown: null, changed: null };

  function showField(name) {
    if (document.querySelector(`#fine #field-${name}`)) listeners.fold?.(true);
    if (["width", "height"].includes(name)) write({ shape: "custom" });
  }

  /** Writes values into the controls; what is not named stays as it is. */
  function write(values) {
    pending = { ...pending, ...values };
    document.querySelector("#desk-write")?.click();
  }

  const native = () => models.get(held.model)?.native_size ?? 512;

  /** What else changes when a person changes one thing. */
  function consequences(before, now) {
    if (before.model !== now.model) {
      const { width, height, ...rest } = models.get(now.model)?.defaults ?? {};
      const shape = now.shape === "custom" ? "square" : now.shape;
      return { ...rest, shape, ...sizeOf(shape, models.get(now.model)?.native_size ?? 512) };
    }
    if (before.shape !== now.shape && now.shape !== "custom") return sizeOf(now.shape, native());
    if (before.sampler !== now.sampler) return { sampler: now.sampler, sigma_schedule: now.sigma_schedule };
    return {};
  }

  function update(name, value) {
    const change = { __type__: "update", value };
    if (name === "sigma_schedule") change.choices = schedulesOf(held.sampler);
    if (name === "model") change.choices = [...models.values()].filter((m) => !m.problem).map((m) => [m.name, m.name]);
    if (name === "shape") change.choices = ["square", "portrait", "landscape", "custom"].map((s) => [t(`shape.${s}`), s]);
    return change;
  }

  function schedulesOf(sampler) {
    const able = samplers.get(sampler)?.sigma_schedules ?? ["automatic"];
    return able.map((name) => [t(`schedule.${name}`), name]);
  }

  function keep() {
    clearTimeout(saving);
    saving = setTimeout(() => memory.set("desk", held), 120);
  }

  function remember(values) {
    held = values;
    document.documentElement.dataset.shape = held.shape;
    keep();
    listeners.changed?.(held);
  }

  addEventListener("pagehide", () => memory.set("desk", held));

  return {
    listeners,
    get values() {
      return held;
    },
    /** Gradio: a control changed. @param {any[]} given every control's value, in order */
    changed(given) {
      const now = Object.fromEntries(fields.map((name, index) => [name, given[index]]));
      const before = held;
      for (const name of fields) if (before[name] !== now[name]) problems.clear(name);
      remember(now);
      const more = consequences(before, now);
      if (Object.keys(more).length) write(more);
    },
    /** Gradio: the hidden button was pressed; the answer goes into the controls. */
    written() {
      const values = pending;
      pending = {};
      const next = { ...held, ...values };
      const able = samplers.get(next.sampler)?.sigma_schedules ?? ["automatic"];
      if (!able.includes(next.sigma_schedule)) next.sigma_schedule = able[0];
      const dirty = fields.filter((name) => name in values || next[name] !== held[name]);
      if (dirty.includes("sampler") && !dirty.includes("sigma_schedule")) dirty.push("sigma_schedule");
      remember(next);
      return fields.map((name) => (dirty.includes(name) ? update(name, next[name]) : { __type__: "update" }));
    },
    /** Gradio: Generate was pressed; what is ordered. @param {any[]} given */
    order(given) {
      this.changed(given);
      problems.clearAll();
      listeners.ordered?.();
      const order = Object.entries(held).filter(([name]) => fields.includes(name) && !NOT_IN_A_REQUEST.includes(name));
      return Object.fromEntries(order);
    },
    /** Gradio: the server's answer to an order. @param {any} ticket */
    ticket(ticket) {
      if (ticket.problems) {
        problems.show(ticket.problems, held);
        listeners.refused?.();
      } else if (ticket.error) listeners.refused?.({ title: t("refused.title"), text: ticket.error });
      else listeners.ticket?.(ticket.job);
      if (ticket.unknown) listeners.unknown?.(ticket.unknown);
    },
    /** Gradio: words of the prompt that the model does not know. @param {string[]} words */
    unknown: (words) => listeners.unknown?.(words ?? []),
    /** Gradio: the order did not get through. */
    unreachable: () => listeners.refused?.({ title: t("lost.title"), text: t("lost.text") }),
    /** Values onto the desk, as from a picture's recipe. @param {Record<string, any>} values */
    apply(values) {
      const known = Object.fromEntries(Object.entries(values).filter(([name]) => fields.includes(name)));
      if (known.model && !models.has(known.model)) delete known.model;
      if (known.width && known.height) known.shape = shapeOf(known.width, known.height, native());
      delete known.num_images;
      delete known.batch_size;
      problems.clearAll();
      write(known);
    },
    write,
    /** As left at the last visit. */
    restore() {
      const kept = memory.get("desk") ?? {};
      const known = Object.fromEntries(Object.entries({ ...held, ...kept }).filter(([name]) => fields.includes(name)));
      if (!models.has(known.model) || models.get(known.model).problem) known.model = facts.values.model;
      write(known);
    },
    /** Generate, as if the button were pressed, once what is pending is written. */
    generate: () => setTimeout(() => document.querySelector("#generate")?.click(), 60),
  };
}
