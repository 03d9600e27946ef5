// @ts-check
// The lanes in rows on one time axis, on a canvas: thousands of orders cost no elements.

import { LANES } from './lanes.js';

const SPAN_MS = 20_000;

/** Lines of orders in a row, as needed. With more orders at once they share lines. */
const [FEWEST_LINES, MOST_LINES] = [12, 60];

/** How long a line stays empty behind an ended order, so that marks do not touch. */
const GAP_MS = 500;

/** Between two samples of how many orders wait. */
const SAMPLE_MS = 100;

/**
 * Between two drawings: smooth enough, and half the work of each frame. Longer with thousands of orders: without a
 * graphics card, this thread draws about 20 orders a millisecond, and it also answers clicks.
 */
const [DRAW_EVERY_MS, DRAW_MS_PER_RUN] = [30, 0.05];

/** With reduced motion: steps. */
const STEP_EVERY_MS = 1000;

/** For the lanes' names, the axis below, and the other edges. */
const [LEFT, BOTTOM, MARGIN] = [84, 22, 10];

/**
 * Times are those of `performance.now()`.
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

/**
 * @typedef {object} Row
 * @property {(Run & { line: number })[]} runs those on the axis
 * @property {(Run | undefined)[]} lines the last order on each line
 * @property {{ at: number, count: number }[]} waiting
 */

export class Timeline {
  #canvas;
  #context;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {(lane: string) => number} */
  #waiting;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #isDrawing = false;
  #lastDrawn = 0;
  #lastNews = -Infinity;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(lane: string) => number} waiting how many orders wait in a lane now
   */
  constructor(canvas, waiting) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.#waiting = waiting;
    for (const { name } of LANES) this.#rows.set(name, { runs: [], lines: [], waiting: [] });
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Shows an order, and follows its owner's changes. @param {Run} run */
  add(run) {
    const { runs, lines } = this.#row(run.lane);
    let line = lines.findIndex((last) => !last || (last.endedAt ?? Infinity) + GAP_MS < run.sentAt);
    if (line < 0) line = lines.length < MOST_LINES ? lines.length : runs.length % MOST_LINES;
    lines[line] = run;
    runs.push(Object.assign(run, { line }));
    this.changed();
  }

  /** Draws until the last news has left the axis. */
  changed() {
    this.#lastNews = performance.now();
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    this.#next();
  }

  #next() {
    const again = () => {
      const now = performance.now();
      const runs = [...this.#rows.values()].reduce((sum, row) => sum + row.runs.length, 0);
      const every = Math.max(DRAW_EVERY_MS, runs * DRAW_MS_PER_RUN);
      if (this.#calm.matches || now - this.#lastDrawn >= every) this.#draw();
      const isQuiet = now - this.#lastNews > SPAN_MS + STEP_EVERY_MS;
      const waits = LANES.some(({ name }) => this.#waiting(name) > 0);
      if (isQuiet && !waits) this.#isDrawing = false;
      else this.#next();
    };
    if (this.#calm.matches) setTimeout(again, STEP_EVERY_MS);
    else requestAnimationFrame(again);
  }

  /** @param {string} lane */
  #row(lane) {
    return /** @type {Row} */ (this.#rows.get(lane));
  }

  #draw() {
    const [canvas, context, now] = [this.#canvas, this.#context, performance.now()];
    this.#lastDrawn = now;
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
    const font = (/** @type {string} */ weight) => (context.font = `${weight} 14px ${style.fontFamily}`);
    const x = (/** @type {number} */ at) => LEFT + (1 - (now - at) / SPAN_MS) * (width - LEFT - MARGIN);
    const rowHeight = (height - BOTTOM) / LANES.length;

    font('400');
    context.textBaseline = 'middle';
    this.#drawAxis(x, now, { width, height, colour });
    LANES.forEach(({ name, title }, index) => {
      const row = this.#row(name);
      const top = index * rowHeight;
      forget(row, now);
      this.#sample(row, name, now);
      context.save();
      context.beginPath();
      context.rect(LEFT, top, width - LEFT, rowHeight);
      context.clip();
      drawWaiting(context, row.waiting, { x, top, height: rowHeight, colour: colour('wait') });
      drawRuns(context, row, { x, now, top, height: rowHeight, lane: colour(name), bad: colour('bad') });
      context.restore();
      context.textAlign = 'left';
      context.fillStyle = colour(name);
      font('600');
      context.fillText(title, MARGIN, top + rowHeight / 2 - 10);
      font('400');
      const waiting = this.#waiting(name);
      context.fillStyle = colour('soft');
      if (waiting > 0) context.fillText(`${waiting} wait`, MARGIN, top + rowHeight / 2 + 10, LEFT - MARGIN - 2);
      context.fillStyle = colour('line');
      context.fillRect(0, top + rowHeight - 0.5, width, 1);
    });
  }

  /**
   * @param {(at: number) => number} x
   * @param {number} now
   * @param {{ width: number, height: number, colour: (name: string) => string }} place
   */
  #drawAxis(x, now, { width, height, colour }) {
    const context = this.#context;
    // Narrow ones have no room for every label.
    const every = width < 500 ? 10 : 5;
    for (let seconds = 0; seconds <= SPAN_MS / 1000; seconds += every) {
      const at = x(now - seconds * 1000);
      context.fillStyle = colour('line');
      context.fillRect(at, 0, 1, height - BOTTOM);
      context.fillStyle = colour('soft');
      context.textAlign = seconds === 0 ? 'right' : 'center';
      context.fillText(seconds === 0 ? 'now' : `−${seconds} s`, at, height - BOTTOM / 2);
    }
  }

  /**
   * @param {Row} row
   * @param {string} lane
   * @param {number} now
   */
  #sample({ waiting }, lane, now) {
    const last = waiting.at(-1);
    if (!last || now - last.at >= SAMPLE_MS) waiting.push({ at: now, count: this.#waiting(lane) });
    while (waiting.length > 1 && waiting[1].at < now - SPAN_MS) waiting.shift();
  }
}

/** Drops orders that have left the axis, and empty lines. @param {Row} row @param {number} now */
function forget(row, now) {
  const isSeen = (/** @type {Run | undefined} */ run) => run !== undefined && (run.endedAt ?? now) > now - SPAN_MS;
  row.runs = row.runs.filter(isSeen);
  row.lines = row.lines.map((run) => (isSeen(run) ? run : undefined));
  while (row.lines.length > 0 && row.lines.at(-1) === undefined) row.lines.pop();
}

/**
 * Waiting orders as an area: the most on this axis fill the row.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Row['waiting']} samples
 * @param {{ x: (at: number) => number, top: number, height: number, colour: string }} place
 */
function drawWaiting(context, samples, { x, top, height, colour }) {
  const most = Math.max(10, ...samples.map(({ count }) => count));
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x(samples[0].at), top + height);
  for (const { at, count } of samples) context.lineTo(x(at), top + height - (count / most) * (height - 12));
  context.lineTo(x(samples[samples.length - 1].at), top + height);
  context.fill();
}

/**
 * Each kind of stroke is one path: thousands of separate ones would hold up the page.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Row} row
 * @param {{ x: (at: number) => number, now: number, top: number, height: number, lane: string, bad: string }} place
 */
function drawRuns(context, { runs, lines }, { x, now, top, height, lane, bad }) {
  const step = (height - 2 * MARGIN) / Math.max(FEWEST_LINES, lines.length);
  const size = Math.max(2, Math.min(5, step * 0.6));
  const [sent, waited, confirmed, refused, crosses] = Array.from({ length: 5 }, () => new Path2D());
  for (const run of runs) {
    const y = top + MARGIN + (run.line + 0.5) * step;
    const end = run.endedAt ?? now;
    const answered = Math.min(run.answeredAt ?? end, end);
    const [from, middle, to] = [x(run.sentAt), x(answered), x(end)];
    sent.moveTo(from, y);
    sent.lineTo(middle, y);
    if (answered < end) {
      waited.moveTo(middle, y);
      waited.lineTo(to, y);
    }
    if (run.end === 'confirmed') {
      confirmed.moveTo(to, y);
      confirmed.arc(to, y, size, 0, 2 * Math.PI);
    } else if (run.end === 'refused') {
      refused.rect(to - size, y - size, 2 * size, 2 * size);
    } else if (run.end) {
      crosses.moveTo(to - size, y - size);
      crosses.lineTo(to + size, y + size);
      crosses.moveTo(to - size, y + size);
      crosses.lineTo(to + size, y - size);
    }
  }
  context.lineWidth = Math.max(1, Math.min(3, step / 2));
  context.strokeStyle = lane;
  context.stroke(sent);
  context.setLineDash([2, 3]);
  context.stroke(waited);
  context.setLineDash([]);
  context.fillStyle = lane;
  context.fill(confirmed);
  context.fillStyle = bad;
  context.fill(refused);
  context.lineWidth = 2;
  context.strokeStyle = bad;
  context.stroke(crosses);
}
