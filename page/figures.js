// @ts-check
// Counts and running percentiles of each lane, in memory that does not grow with the orders.

/** 5 % of a bucket's lower end. */
const GROWTH = Math.log(1.05);

/** In milliseconds; a percentile is at most 5 % too high. */
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

/** What the table shows of each lane, from top to bottom. */
export const FIGURES = [
  { name: 'sent', title: 'Sent' },
  { name: 'accepted', title: 'Accepted' },
  { name: 'refused', title: 'Refused' },
  { name: 'waiting', title: 'Waiting' },
  { name: 'queue-depth', title: 'In queues' },
  { name: 'confirmed', title: 'Confirmed' },
  { name: 'cancelled', title: 'Cancelled' },
  { name: 'rejected', title: 'Rejected' },
  { name: 'answer-p50', title: 'Answer p50' },
  { name: 'answer-p99', title: 'Answer p99' },
  { name: 'outcome-p50', title: 'Outcome p50' },
  { name: 'outcome-p99', title: 'Outcome p99' },
];

/** Outcomes of the orders that this page placed down one lane. */
export class LaneFigures {
  sent = 0;
  accepted = 0;
  /** Or the network gave no answer. */
  refused = 0;
  /** Without an outcome. */
  waiting = 0;
  /** Messages in the lane's queues, of all users. @type {number | undefined} */
  queueDepth;
  confirmed = 0;
  cancelled = 0;
  rejected = 0;
  answers = new Histogram();
  outcomes = new Histogram();

  /** In the order of `FIGURES`. */
  texts() {
    const { sent, accepted, refused, waiting, queueDepth, confirmed, cancelled, rejected } = this;
    const counts = [sent, accepted, refused, waiting, queueDepth, confirmed, cancelled, rejected];
    const times = [this.answers.at(0.5), this.answers.at(0.99), this.outcomes.at(0.5), this.outcomes.at(0.99)];
    return [...counts, ...times].map((value) => (value === undefined ? '–' : Math.round(value).toLocaleString()));
  }
}
