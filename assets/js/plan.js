// What an install would fetch, before it is fetched: how much, under which licence, and where to.
import { el, icon } from "./dom.js";
import { count, size, t } from "./i18n.js";

/**
 * @param {any} plan the answer of POST /api/v1/hub/plan
 * @param {{onInstall: () => void, onChoose: (file: string) => void}} listeners
 */
export function planCard(plan, { onInstall, onChoose }) {
  const choosing = plan.choices.length && !plan.files.length && plan.allowed; // no fault, but a question
  const short = plan.total - plan.kept > plan.free;
  const ready = plan.files.length && !plan.problem && !plan.installed && !short;
  const missing = plan.kept ? t("plan.kept", { size: size(plan.kept) }) : "";
  return el(
    "div",
    { class: "plan-card" },
    el("p", { class: "model-name" }, plan.repo_id),
    plan.files.length ? facts(plan) : null,
    plan.problem && !choosing ? el("p", { class: "problem" }, plan.problem) : null,
    plan.gated && !plan.allowed ? el("p", {}, el("a", { class: "link", href: plan.page, target: "_blank", rel: "noopener noreferrer" }, t("plan.page"))) : null,
    short ? el("p", { class: "problem" }, t("plan.full", { free: size(plan.free) })) : null,
    plan.installed ? el("p", {}, t("hub.installed")) : null,
    plan.choices.length ? choices(plan, onChoose) : null,
    missing ? el("p", { class: "soft" }, missing) : null,
    ready ? el("button", { type: "button", class: "fill-button", onclick: onInstall }, t("hub.install", { size: size(plan.total - plan.kept) })) : null,
  );
}

function facts(plan) {
  const rows = [
    ["plan.kind", t(`kind.${plan.kind}`)],
    ["plan.size", `${size(plan.total)} · ${t("plan.files", { n: plan.files.length })}`],
    ["plan.licence", el("a", { class: "page-link", href: plan.page, target: "_blank", rel: "noopener noreferrer" }, plan.licence ?? t("plan.unknown"))],
    ["plan.free", size(plan.free)],
    ["plan.where", plan.where],
  ];
  const files = el(
    "details",
    { class: "plan-files" },
    el("summary", {}, t("plan.list"), icon("chevron")),
    el("ul", {}, ...plan.files.map((file) => el("li", {}, el("span", {}, file.path), el("span", { class: "soft figures" }, bytes(file.size))))),
  );
  return el(
    "div",
    {},
    el("dl", { class: "model-facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, t(name)), el("dd", {}, value)])),
    plan.files.length > 1 ? files : "",
  );
}

/** Small files in bytes: "1 MB" for each would mislead. */
const bytes = (value) => (value < 2 ** 20 ? t("plan.bytes", { n: count(value) }) : size(value));

/** The repository's single files, when it is one of several that is meant. */
function choices(plan, onChoose) {
  const buttons = plan.choices.map((file) =>
    el("li", {}, el("button", { type: "button", class: "choice", onclick: () => onChoose(file.path) }, el("span", {}, file.path), el("span", { class: "soft figures" }, size(file.size)))),
  );
  return el("div", {}, el("p", { class: "soft" }, t(plan.files.length ? "plan.or" : "plan.choose")), el("ul", { class: "choices" }, ...buttons));
}
