// The picture in the middle, or the pictures of one job as a neat grid. Space is kept for each.
import { pictures } from "./api.js";
import { el, keepLoading } from "./dom.js";
import { t } from "./i18n.js";

const GAP = 12;
const LARGEST = 4; // a small picture is not blown up further than this

/**
 * The number of columns and the cell size with which `n` pictures fill a space best.
 * @param {number} n @param {number} aspect width / height @param {number} width @param {number} height
 */
export function bestGrid(n, aspect, width, height) {
  let best = { columns: 1, cell: 0 };
  for (let columns = 1; columns <= n; columns += 1) {
    const rows = Math.ceil(n / columns);
    const byWidth = (width - GAP * (columns - 1)) / columns;
    const byHeight = ((height - GAP * (rows - 1)) / rows) * aspect;
    const cell = Math.floor(Math.min(byWidth, byHeight));
    if (cell > best.cell) best = { columns, cell };
  }
  return best;
}

/**
 * @param {HTMLElement} root
 * @param {{onSelect: (index: number) => void, onOpen: (index: number) => void}} listener
 */
export function createEasel(root, { onSelect, onOpen }) {
  const grid = el("div", { class: "easel-grid" });
  root.append(grid);
  let board = null;
  let cells = [];
  let previewShown = "";
  /** What was made from a picture has a size that its job does not tell. */
  const sizes = new Map();

  function build() {
    previewShown = "";
    cells = board.cells.map((_, index) => {
      const cell = el("button", {
        type: "button",
        class: "cell",
        onclick: () => choose(index),
        ondblclick: () => onOpen(index),
      });
      return cell;
    });
    grid.replaceChildren(...cells);
    grid.classList.toggle("is-single", cells.length === 1);
    fit();
  }

  function choose(index) {
    if (!board.cells[index]?.id) return;
    if (cells.length === 1 || board.selected === index) onOpen(index);
    else onSelect(index);
  }

  function fit() {
    if (!board) return;
    const { clientWidth: width, clientHeight: height } = root;
    const own = sizes.get(board.cells.find(({ id }) => sizes.has(id))?.id) ?? board;
    const { columns, cell } = bestGrid(cells.length, own.width / own.height, width, height);
    const side = Math.min(cell, own.width * LARGEST);
    grid.style.setProperty("--columns", String(columns));
    grid.style.setProperty("--cell", `${Math.max(side, 40)}px`);
    grid.style.setProperty("--aspect", String(own.width / own.height));
  }

  function paint(cell, index) {
    const { id } = board.cells[index];
    const of = { index: index + 1, count: cells.length };
    cell.setAttribute("aria-label", t(id ? "picture.open" : "picture.pending", of));
    cell.classList.toggle("is-selected", cells.length > 1 && board.selected === index);
    cell.disabled = !id;
    if (!id || cell.dataset.id === id) return;
    cell.dataset.id = id;
    const picture = el("img", { class: "cell-picture", alt: board.prompt, draggable: false });
    picture.onload = () => {
      picture.classList.add("is-in");
      const { naturalWidth: width, naturalHeight: height } = picture;
      if (sizes.get(id)?.width === width && sizes.get(id)?.height === height) return;
      sizes.set(id, { width, height });
      fit();
    };
    keepLoading(picture, pictures.file(id));
    if (board.instant) picture.classList.add("is-in");
    cell.append(picture);
  }

  function preview() {
    if (!board.preview || board.preview === previewShown) return;
    previewShown = board.preview;
    const cell = cells[board.cells.findIndex((entry) => !entry.id)];
    if (!cell) return;
    const next = el("img", { class: "cell-preview", alt: "" });
    next.src = board.preview;
    // Only a picture that is ready replaces the one before it: no white flash between two previews.
    next.decode().then(
      () => {
        cell.querySelector(".cell-preview")?.remove();
        cell.prepend(next);
      },
      () => {},
    );
  }

  new ResizeObserver(fit).observe(root);

  return {
    /**
     * @param {{key: string, width: number, height: number, prompt: string, selected: number,
     *   cells: {id: string|null}[], preview?: string, instant?: boolean}} next
     */
    show(next) {
      const same = board && board.key === next.key && cells.length === next.cells.length;
      board = next;
      if (!same) build();
      grid.classList.toggle("is-working", Boolean(next.working));
      cells.forEach(paint);
      preview();
    },
    clear() {
      board = null;
      cells = [];
      grid.replaceChildren();
    },
  };
}
