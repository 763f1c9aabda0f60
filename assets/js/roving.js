// One Tab stop for a row or grid of pictures; the arrow keys walk inside it.

/**
 * @param {HTMLElement} root its buttons are the stops
 * @param {string} selector
 * @param {{onWalk?: (stop: HTMLElement) => void}} [listener]
 */
export function roving(root, selector, { onWalk } = {}) {
  const stops = () => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(selector)]);

  function refresh() {
    const all = stops();
    if (!all.length) return;
    const current = all.find((stop) => stop.tabIndex === 0 && stop.dataset.stop) ?? all[0];
    for (const stop of all) stop.tabIndex = stop === current ? 0 : -1;
  }

  function goTo(stop) {
    for (const other of stops()) {
      other.tabIndex = -1;
      delete other.dataset.stop;
    }
    stop.tabIndex = 0;
    stop.dataset.stop = "1";
    stop.focus();
    stop.scrollIntoView({ block: "nearest", inline: "nearest" });
    onWalk?.(stop);
  }

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const all = stops();
    const here = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const there = here < 0 ? -1 : target(event.key, all, here);
    if (there < 0 || !all[there]) return;
    event.preventDefault();
    goTo(all[there]);
  });

  return { refresh };
}

function target(key, all, here) {
  if (key === "ArrowRight") return here + 1;
  if (key === "ArrowLeft") return here - 1;
  if (key === "Home") return 0;
  if (key === "End") return all.length - 1;
  if (key === "ArrowDown" || key === "ArrowUp") return inNextRow(all, here, key === "ArrowDown" ? 1 : -1);
  return -1;
}

/** The stop of the row above or below that lies nearest. */
function inNextRow(all, here, direction) {
  const from = all[here].getBoundingClientRect();
  const middle = from.left + from.width / 2;
  let best = -1;
  let least = Infinity;
  all.forEach((stop, index) => {
    const box = stop.getBoundingClientRect();
    const rows = (box.top - from.top) * direction;
    if (rows < from.height / 2) return;
    const away = rows * 10 + Math.abs(box.left + box.width / 2 - middle);
    if (away < least) [best, least] = [index, away];
  });
  return best;
}
