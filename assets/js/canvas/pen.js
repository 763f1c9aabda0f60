// The brush: from points on the picture to strokes of what is chosen, by hand or by the arrow keys.

/**
 * @param {{tools: any, sheet: () => import("./sheet.js").Sheet|null, redraw: () => void, rgb: () => number[], say: (word: string) => void}} studio
 */
export function createPen({ tools, sheet, redraw, rgb, say }) {
  let stroke = null;
  let last = null;
  let place = null; // where the brush hovers, in the picture's pixels
  let isDown = false; // put down by the keyboard

  const radius = (pressure = 1) => {
    const { width, height } = sheet();
    return Math.max(0.5, (tools.set.size * Math.max(width, height) * pressure) / 2);
  };
  const pressureOf = (event) => (event.pointerType === "pen" && event.pressure ? 0.3 + 0.7 * event.pressure : 1);

  function begin(point, pressure) {
    const { layer, softness, tool } = tools.set;
    stroke = sheet().stroke(layer, { softness, erases: tool === "eraser", rgb: rgb() });
    last = point;
    go(point, pressure);
  }

  function go(point, pressure) {
    stroke.line(last, point, radius(pressure));
    last = point;
    place = point;
    redraw();
  }

  function end(how = "done") {
    stroke?.[how]();
    stroke = null;
    redraw();
  }

  return {
    start: (point, event) => begin(point, pressureOf(event)),
    move: (point, event) => stroke && go(point, pressureOf(event)),
    end: () => end(),
    cancel: () => end("cancel"),
    /** @param {{x: number, y: number}|null} point */
    hover(point) {
      place = point;
      redraw();
    },
    /** Keyboard: put down, or lifted. */
    toggle() {
      if (!sheet() || tools.set.tool === "hand") return;
      place ??= { x: sheet().width / 2, y: sheet().height / 2 };
      isDown = !isDown;
      if (isDown) begin(place, 1);
      else end();
      say(isDown ? "canvas.down" : "canvas.up");
    },
    /** Keyboard: moved. @param {number[]} way @param {number} stride share of the brush's width */
    moveBy([dx, dy], stride) {
      if (!sheet()) return;
      const step = Math.max(1, 2 * radius() * stride);
      const from = place ?? { x: sheet().width / 2, y: sheet().height / 2 };
      place = { x: Math.min(sheet().width, Math.max(0, from.x + dx * step)), y: Math.min(sheet().height, Math.max(0, from.y + dy * step)) };
      if (isDown && stroke) go(place, 1);
      redraw();
    },
    /** What the keyboard put down is lifted when it leaves. */
    lift() {
      if (isDown) end();
      isDown = false;
    },
    /** The brush's ring, dark and light so that it shows on anything. @param {CanvasRenderingContext2D} context @param {number} scale */
    paint(context, scale) {
      if (!place || !sheet() || tools.set.tool === "hand") return;
      for (const [width, colour] of [[3, "#000a"], [1.25, "#fff"]]) {
        context.beginPath();
        context.arc(place.x, place.y, radius(), 0, 2 * Math.PI);
        context.lineWidth = width / scale;
        context.strokeStyle = colour;
        context.stroke();
      }
    },
  };
}
