// @ts-check
// The lanes in rows on one time axis, drawn on a canvas: thousands of orders cost no elements.

import { LANES } from './lanes.js';

/** What the axis spans. */
const SPAN_MS = 20_000;

/** Lines of orders in a row; with more orders at once they share lines. */
const LINES = 16;

/** Between two samples of how many orders wait. */
const SAMPLE_MS = 100;

/**
 * One order on its way. Times are those of `performance.now()`.
 *
 * @typedef {object} Run
 * @property {string} lane
 * @property {number} sentAt
 * @property {number} [answeredAt]
 * @property {number} [endedAt]
 * @property {'confirmed' | 'bad' | 'refused'} [end]
 * @property {string} [status] its outcome
 * @property {string} [reason] why, if it is not confirmed
 */

export class Timeline {
  #canvas;
  #context;
  /** @type {Map<string, { runs: (Run & { line: number })[], free: number[], waiting: { at: number, count: number }[] }>} */
  #rows = new Map();
  /** @type {(lane: string) => number} */
  #waiting;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #isDrawing = false;
  #lastNews = -Infinity;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(lane: string) => number} waiting how many orders wait in a lane now
   */
  constructor(canvas, waiting) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.#waiting = waiting;
    for (const { name } of LANES) this.#rows.set(name, { runs: [], free: Array(LINES).fill(-Infinity), waiting: [] });
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Shows an order, and follows what its owner writes into it. @param {Run} run */
  add(run) {
    const row = this.#row(run.lane);
    // The line that has been free for longest.
    const line = row.free.indexOf(Math.min(...row.free));
    row.free[line] = run.sentAt;
    row.runs.push(Object.assign(run, { line }));
    this.changed();
  }

  /** Something happened: draw, until it has left the axis. */
  changed() {
    this.#lastNews = performance.now();
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    this.#next();
  }

  #next() {
    const again = () => {
      this.#draw();
      const isQuiet = performance.now() - this.#lastNews > SPAN_MS + 1000;
      const waits = LANES.some(({ name }) => this.#waiting(name) > 0);
      if (isQuiet && !waits) this.#isDrawing = false;
      else this.#next();
    };
    // Steps instead of motion for those who asked for that.
    if (this.#calm.matches) setTimeout(again, 1000);
    else requestAnimationFrame(again);
  }

  /** @param {string} lane */
  #row(lane) {
    return /** @type {NonNullable<ReturnType<typeof this.#rows.get>>} */ (this.#rows.get(lane));
  }

  #draw() {
    const [canvas, context, now] = [this.#canvas, this.#context, performance.now()];
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`);
    const left = 64;
    const x = (/** @type {number} */ at) => left + (1 - (now - at) / SPAN_MS) * (width - left - 12);
    const axis = 22;
    const rowHeight = (height - axis) / LANES.length;

    context.font = `14px ${style.fontFamily}`;
    context.textBaseline = 'middle';
    this.#drawAxis(x, now, { left, height, axis, width, colour });
    LANES.forEach(({ name, title }, index) => {
      const row = this.#row(name);
      const top = index * rowHeight;
      const since = now - SPAN_MS;
      row.runs = row.runs.filter((run) => (run.endedAt ?? now) > since);
      this.#sample(row, name, now);
      context.save();
      context.beginPath();
      context.rect(left, top, width - left, rowHeight);
      context.clip();
      this.#drawWaiting(row.waiting, x, top, rowHeight, colour('line'));
      const step = (rowHeight - 16) / LINES;
      for (const run of row.runs) drawRun(context, run, top + 8 + (run.line + 0.5) * step, { x, now, step, lane: colour(name), bad: colour('bad') });
      context.restore();
      context.fillStyle = colour(name);
      context.textAlign = 'left';
      context.fillText(title, 8, top + rowHeight / 2);
      context.fillStyle = colour('line');
      context.fillRect(0, top + rowHeight - 0.5, width, 1);
    });
  }

  /**
   * @param {(at: number) => number} x
   * @param {number} now
   * @param {{ left: number, height: number, axis: number, width: number, colour: (name: string) => string }} place
   */
  #drawAxis(x, now, { height, axis, colour }) {
    const context = this.#context;
    for (let seconds = 0; seconds <= SPAN_MS / 1000; seconds += 5) {
      const at = x(now - seconds * 1000);
      context.fillStyle = colour('line');
      context.fillRect(at, 0, 1, height - axis);
      context.fillStyle = colour('soft');
      context.textAlign = seconds === 0 ? 'right' : 'center';
      context.fillText(seconds === 0 ? 'now' : `−${seconds} s`, at, height - axis / 2);
    }
  }

  /**
   * @param {{ waiting: { at: number, count: number }[] }} row
   * @param {string} lane
   * @param {number} now
   */
  #sample(row, lane, now) {
    const last = row.waiting.at(-1);
    if (!last || now - last.at >= SAMPLE_MS) row.waiting.push({ at: now, count: this.#waiting(lane) });
    while (row.waiting.length > 1 && row.waiting[1].at < now - SPAN_MS) row.waiting.shift();
  }

  /**
   * @param {{ at: number, count: number }[]} samples
   * @param {(at: number) => number} x
   * @param {number} top
   * @param {number} height
   * @param {string} colour
   */
  #drawWaiting(samples, x, top, height, colour) {
    const most = Math.max(10, ...samples.map(({ count }) => count));
    const context = this.#context;
    context.fillStyle = colour;
    context.globalAlpha = 0.6;
    context.beginPath();
    context.moveTo(x(samples[0].at), top + height);
    for (const { at, count } of samples) context.lineTo(x(at), top + height - (count / most) * (height - 12));
    context.lineTo(x(samples[samples.length - 1].at), top + height);
    context.fill();
    context.globalAlpha = 1;
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Run} run
 * @param {number} y
 * @param {{ x: (at: number) => number, now: number, step: number, lane: string, bad: string }} look
 */
function drawRun(context, run, y, { x, now, step, lane, bad }) {
  const line = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number[]} */ dash) => {
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x(from), y);
    context.lineTo(x(to), y);
    context.stroke();
  };
  context.strokeStyle = lane;
  context.lineWidth = Math.max(2, Math.min(4, step / 3));
  const end = run.endedAt ?? now;
  const answered = Math.min(run.answeredAt ?? end, end);
  line(run.sentAt, answered, []);
  if (answered < end) line(answered, end, [2, 3]);
  context.setLineDash([]);
  if (!run.end) return;
  const size = Math.max(3, Math.min(5, step / 2));
  context.beginPath();
  if (run.end === 'confirmed') {
    context.fillStyle = lane;
    context.arc(x(end), y, size, 0, 2 * Math.PI);
    context.fill();
  } else if (run.end === 'refused') {
    context.fillStyle = bad;
    context.fillRect(x(end) - size, y - size, 2 * size, 2 * size);
  } else {
    context.strokeStyle = bad;
    context.moveTo(x(end) - size, y - size);
    context.lineTo(x(end) + size, y + size);
    context.moveTo(x(end) - size, y + size);
    context.lineTo(x(end) + size, y - size);
    context.stroke();
  }
}
