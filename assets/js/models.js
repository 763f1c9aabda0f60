// What is installed, and where more of it goes.
import { studio } from "./api.js";
import { el, factsOf } from "./dom.js";
import { size, t } from "./i18n.js";

/** @param {HTMLElement} root @param {{desk: any, rooms: any}} tools */
export function createModels(root, { desk, rooms }) {
  const { folder } = factsOf(root);
  const rows = el("ul", { class: "models" });
  root.replaceChildren(
    el("h1", { class: "models-title" }, t("models.title")),
    rows,
    el(
      "section",
      { class: "models-more" },
      el("h2", {}, t("models.more")),
      el("p", {}, t("models.how")),
      el("p", {}, el("code", {}, folder)),
      el("p", { class: "soft" }, t("models.where")),
    ),
  );

  function row(model) {
    const native = `${model.native_size} × ${model.native_size}`;
    const facts = [t(`kind.${model.kind}`), t(`family.${model.family}`), size(model.size), native];
    const state = model.problem ? "problem" : model.resident ? "resident" : "ready";
    return el(
      "li",
      { class: `model is-${state}` },
      el(
        "div",
        {},
        el("p", { class: "model-name" }, model.name),
        el("ul", { class: "facts" }, ...facts.map((fact) => el("li", {}, fact))),
        model.known_words ? el("p", { class: "soft" }, t("models.words")) : null,
        model.problem ? el("p", { class: "problem" }, model.problem) : null,
      ),
      model.problem || model.name === desk.values.model ? null : useButton(model),
      el("span", { class: "model-state" }, el("span", { class: state === "resident" ? "dot is-on" : "dot" }), t(`models.${state}`)),
    );
  }

  function useButton({ name }) {
    const use = () => desk.useModel(name).then(() => rooms.go("create"));
    return el("button", { type: "button", class: "quiet-button", onclick: use, "aria-label": `${t("models.use")}: ${name}` }, t("models.use"));
  }

  return {
    async enter() {
      try {
        rows.replaceChildren(...(await studio.models()).map(row));
      } catch (error) {
        rows.replaceChildren(el("li", { class: "model" }, error.message || t("lost.title")));
      }
    },
  };
}
