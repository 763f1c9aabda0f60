// The desk's memory and manners. Gradio draws the controls; what they hold is known here, kept in the
// browser, and written back through one hidden button (#desk-write), so that no round trip is needed.
import { studio } from "./api.js";
import { createChoices } from "./choices.js";
import { memory } from "./dom.js";
import { createProblems } from "./problems.js";
import { sizeOf, shapeOf } from "./shapes.js";
import { t } from "./i18n.js";

const NOT_IN_A_REQUEST = ["shape"];
const BESIDE = ["styles"]; // what the page's own parts hold, and no control of Gradio's
const PATIENCE = 80;
const ANSWER = 1500;

/**
 * @param {{fields: string[], canvas: string[], values: Record<string, any>}} facts the controls in their order, those
 *   among them that only a start picture needs, and first values
 * @param {{models: Map<string, any>, vaes: Map<string, any>, samplers: Map<string, any>}} installed
 */
export function createDesk(facts, installed) {
  const { fields, canvas } = facts;
  const { models } = installed;
  const choices = createChoices(installed);
  /** @type {Record<string, any>} */
  let held = { ...facts.values, shape: "square", seed: null, prompt: "", negative_prompt: "", styles: [] };
  let pending = {};
  let settled = [];
  let saving = 0;
  let expecting = 0;
  const problems = createProblems(showField);
  const watchers = new Set();
  const isHeld = (name) => fields.includes(name) || BESIDE.includes(name);
  const listeners = { instead: null, ticket: null, ordered: null, refused: null, unknown: null, changed: null };

  function showField(name) {
    const field = document.querySelector(`#field-${name}`);
    if (field) listeners.reveal?.(field);
    if (["width", "height"].includes(name)) write({ shape: "custom" });
  }

  /**
   * Writes values into the controls; what is not named stays as it is. Resolves when it is done: Gradio
   * may still be putting its own parts together, so the button is pressed until it answers.
   * @param {Record<string, any>} values @returns {Promise<void>}
   */
  function write(values) {
    pending = { ...pending, ...values };
    const press = () => document.querySelector("#desk-write")?.click();
    const timer = setInterval(press, PATIENCE);
    press();
    return new Promise((resolve) => {
      settled.push(() => (clearInterval(timer), resolve()));
    });
  }

  /** Gradio does not always tell when an order gets lost on the way; then the server is asked itself. */
  function expectTicket() {
    clearTimeout(expecting);
    expecting = setTimeout(async () => {
      try {
        await studio.health();
        expectTicket();
      } catch {
        expecting = 0;
        listeners.refused?.({ title: t("lost.title"), text: t("lost.text") });
      }
    }, ANSWER);
  }

  const native = () => models.get(held.model)?.native_size ?? 512;

  /** What else changes when a person changes one thing. */
  function consequences(before, now) {
    if (before.model !== now.model) {
      const { width, height, ...rest } = models.get(now.model)?.defaults ?? {};
      const shape = now.shape === "custom" ? "square" : now.shape;
      return { ...rest, vae: now.vae, shape, ...sizeOf(shape, models.get(now.model)?.native_size ?? 512) };
    }
    if (before.shape !== now.shape && now.shape !== "custom") return sizeOf(now.shape, native());
    if (before.sampler !== now.sampler) return { sampler: now.sampler, sigma_schedule: now.sigma_schedule };
    return {};
  }

  function update(name, value) {
    const change = { __type__: "update", value: name === "seed" ? String(value ?? "") : value };
    const list = choices.of(name, held);
    return list ? { ...change, choices: list } : change;
  }

  /** Every control's value, in order -> values by name. @param {any[]} given */
  function read(given) {
    const values = Object.fromEntries(fields.map((name, index) => [name, given[index]]));
    const beside = Object.fromEntries(BESIDE.map((name) => [name, held[name]]));
    return { ...values, ...beside, seed: asSeed(values.seed) };
  }

  function save() {
    saving = 0;
    memory.set("desk", held);
  }

  function keep() {
    clearTimeout(saving);
    saving = setTimeout(save, 120);
  }

  function remember(values) {
    held = values;
    document.documentElement.dataset.shape = held.shape;
    keep();
    listeners.changed?.(held);
    listeners.wording?.(held);
    watchers.forEach((watcher) => watcher(held));
  }

  /** What is held, as a job takes it. */
  function asOrder() {
    return Object.fromEntries(Object.entries(held).filter(([name]) => isHeld(name) && !NOT_IN_A_REQUEST.includes(name)));
  }

  /** What is held, in the words that the model reads. */
  async function inItsWords() {
    return (await listeners.english?.(asOrder())) ?? asOrder();
  }

  const withoutCanvas = (values) => Object.fromEntries(Object.entries(values).filter(([name]) => !canvas.includes(name)));

  addEventListener("pagehide", () => saving && save());

  // In a room that orders for itself, Generate is its button.
  document.addEventListener(
    "click",
    (event) => {
      const order = event.target.closest?.("#generate") && listeners.instead?.();
      if (!order) return;
      event.preventDefault();
      event.stopPropagation();
      order();
    },
    true,
  );

  return {
    listeners,
    asOrder,
    inItsWords,
    /** Be told whenever what is held changes. @param {(held: Record<string, any>) => void} watcher */
    watch: (watcher) => watchers.add(watcher),
    get values() {
      return held;
    },
    /** Gradio: a control changed. @param {any[]} given every control's value, in order */
    changed(given) {
      const now = read(given);
      const before = held;
      for (const name of fields) if (before[name] !== now[name]) problems.clear(name);
      remember(now);
      const more = consequences(before, now);
      if (Object.keys(more).length) write(more);
    },
    /**
     * Gradio: the hidden button was pressed; the answer goes into the controls. What is not to be
     * written goes back as it came: an answer without a value would put an old one in its place.
     * @param {any[]} given
     */
    written(given) {
      const [values, waiting] = [pending, settled];
      [pending, settled] = [{}, []];
      setTimeout(() => waiting.forEach((done) => done()));
      const before = read(given);
      const next = choices.mended({ ...before, ...values }, facts.values);
      for (const name of BESIDE) if (name in values) problems.clear(name);
      remember(next);
      const touched = (name) => name in values || next[name] !== before[name] || (name === "sigma_schedule" && "sampler" in values);
      return fields.map((name, index) => (touched(name) ? update(name, next[name]) : given[index]));
    },
    /** Gradio: Generate was pressed; what is ordered. @param {any[]} given */
    async order(given) {
      this.changed(given);
      problems.clearAll();
      listeners.ordered?.();
      expectTicket();
      return withoutCanvas(await inItsWords());
    },
    /** What is held, once all that was typed has arrived here. */
    async settled() {
      await write({});
      problems.clearAll();
      return held;
    },
    /** What is ordered from a start picture. */
    async collected() {
      await this.settled();
      return inItsWords();
    },
    /** Has the desk a control for the field? @param {string} name */
    has: isHeld,
    /** What the server found wrong. @param {{field: string, message: string}[]} found */
    problems: (found) => problems.show(found),
    /** Gradio: the server's answer to an order. @param {any} ticket */
    ticket(ticket) {
      clearTimeout(expecting);
      if (ticket.problems) {
        problems.show(ticket.problems);
        listeners.refused?.();
      } else if (ticket.error) listeners.refused?.({ title: t("refused.title"), text: ticket.error });
      else listeners.ticket?.(ticket.job);
      if (ticket.unknown) listeners.unknown?.(ticket.unknown);
    },
    /** Gradio: words of the prompt that the model does not know. @param {string[]} words */
    unknown: (words) => listeners.unknown?.(words ?? []),
    /** Gradio: the order did not get through. */
    unreachable() {
      clearTimeout(expecting);
      listeners.refused?.({ title: t("lost.title"), text: t("lost.text") });
    },
    /**
     * Values onto the desk, as from a picture's recipe. How many pictures are made stays, unless `counts`.
     * @param {Record<string, any>} values @param {{counts?: boolean}} [options]
     */
    apply(values, { counts = false } = {}) {
      const wanted = values.init_image ? values : withoutCanvas(values);
      const known = Object.fromEntries(Object.entries(wanted).filter(([name]) => isHeld(name)));
      if (known.model && !models.has(known.model)) delete known.model;
      if (known.width && known.height) known.shape = shapeOf(known.width, known.height, native());
      if (!counts) {
        delete known.num_images;
        delete known.batch_size;
      }
      problems.clearAll();
      return write(known);
    },
    write,
    /** Another model, with what suits it. @param {string} name */
    useModel: (name) => write({ model: name, ...consequences(held, { ...held, model: name }) }),
    /** As left at the last visit. */
    restore() {
      const kept = memory.get("desk") ?? {};
      const known = Object.fromEntries(Object.entries({ ...held, ...kept }).filter(([name]) => isHeld(name)));
      if (!Array.isArray(known.styles)) known.styles = [];
      return write(known);
    },
    /** What is installed has changed: the lists offer it. */
    relist: () => write({ model: held.model, vae: held.vae, refiner: held.refiner, hires_upscaler: held.hires_upscaler }),
    /** Generate, as if the button were pressed. */
    generate: () => document.querySelector("#generate")?.click(),
    /** Values onto the desk, then Generate. @param {Record<string, any>} values */
    async make(values) {
      await this.apply(values);
      setTimeout(this.generate, PATIENCE); // Gradio's controls take a moment to take them in
    },
  };
}

/** The seed's box holds text: nothing is a new seed each time, and what is no number is told as it is. */
function asSeed(text) {
  const given = String(text ?? "").trim();
  if (!given) return null;
  return /^-?\d+$/.test(given) ? Number(given) : given;
}
