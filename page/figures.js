// @ts-check
// Counts and running percentiles of each lane, in memory that does not grow with the orders.

/** Width of a histogram's buckets: 5 % of their lower end. */
const GROWTH = Math.log(1.05);

/** Times in milliseconds; a percentile is at most 5 % too high. */
export class Histogram {
  /** @type {Map<number, number>} */
  #buckets = new Map();
  #count = 0;

  /** @param {number} ms */
  add(ms) {
    const bucket = Math.floor(Math.log(Math.max(ms, 1)) / GROWTH);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count += 1;
  }

  /**
   * @param {number} quantile from 0 to 1
   * @returns {number | undefined} `undefined` without values
   */
  at(quantile) {
    let left = Math.ceil(quantile * this.#count);
    for (const [bucket, count] of [...this.#buckets].sort(([one], [other]) => one - other)) {
      left -= count;
      if (left <= 0) return Math.exp((bucket + 1) * GROWTH);
    }
    return undefined;
  }
}

/** What one lane made of this page's orders. */
export class LaneFigures {
  sent = 0;
  accepted = 0;
  refused = 0;
  waiting = 0;
  confirmed = 0;
  cancelled = 0;
  rejected = 0;
  answers = new Histogram();
  outcomes = new Histogram();

  /** The cells of its row, from the second on. */
  cells() {
    const { sent, accepted, refused, waiting, confirmed, cancelled, rejected } = this;
    const times = [this.answers.at(0.5), this.answers.at(0.99), this.outcomes.at(0.5), this.outcomes.at(0.99)];
    const counts = [sent, accepted, refused, waiting, confirmed, cancelled, rejected];
    return [...counts.map((count) => count.toLocaleString()), ...times.map((ms) => (ms === undefined ? '–' : ms.toFixed(0)))];
  }
}
