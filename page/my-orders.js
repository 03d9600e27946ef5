// @ts-check
// The user's newest orders, each with its steps once it is opened.

import { amount } from './lanes.js';
import { FINAL } from './twolane-client.js';

/** Orders in the list: enough to look through, few enough for any machine. */
const KEPT = 60;

/** More often, a burst would hold up the page. */
const UPDATE_EVERY_MS = 250;

const BAD = ['CANCELLED', 'REJECTED', 'FAILED'];

const HINT = 'Newest first. Open one for its steps.';

/**
 * @typedef {object} Shown
 * @property {HTMLLIElement} item
 * @property {HTMLDetailsElement} details
 * @property {any} order
 * @property {boolean} isStale it says less than is known
 */

export class MyOrders {
  #client;
  #list;
  #more;
  #said;
  /** @type {Map<string, Shown>} */
  #shown = new Map();
  /** Newer orders than the list's, by id. @type {Map<string, any>} */
  #fresh = new Map();
  #isPlanned = false;
  /** @type {string | undefined} */
  #next;

  /**
   * @param {import('./twolane-client.js').TwolaneClient} client
   * @param {{ list: HTMLElement, more: HTMLButtonElement, said: HTMLElement }} elements
   */
  constructor(client, { list, more, said }) {
    this.#client = client;
    this.#list = list;
    this.#more = more;
    this.#said = said;
    more.addEventListener('click', () => this.load());
    client.addEventListener('order', (event) => this.#learn(/** @type {CustomEvent} */ (event).detail));
  }

  async load() {
    const { status, body } = await this.#client.orders({ limit: 20, next: this.#next }).catch(() => ({ status: 0, body: undefined }));
    if (status === 0) {
      this.#said.textContent = `No answer from the stack. Is it up, and does CorsAllowedOrigins list ${location.origin}?`;
      this.#more.hidden = false;
      return;
    }
    if (status === 404) {
      this.#said.textContent = 'This stack does not list orders. Those that you place now appear here.';
      return;
    }
    if (status !== 200) {
      this.#said.textContent = `The list could not be read (${status}): ${body?.detail ?? 'try again'}`;
      this.#more.hidden = false;
      return;
    }
    for (const order of body.orders) {
      if (!this.#find(order.orderId)) this.#insert(order);
    }
    this.#next = body.next;
    this.#more.hidden = !body.next || this.#shown.size >= KEPT;
    this.#forget();
    this.#said.textContent = this.#shown.size + this.#fresh.size === 0 ? 'You have no orders yet.' : HINT;
  }

  /** An order that was just placed. @param {any} order */
  placed(order) {
    this.#said.textContent = HINT;
    if (this.#find(order.orderId)) return;
    this.#fresh.set(order.orderId, order);
    this.#plan();
  }

  /** @param {import('./twolane-client.js').Update} update */
  #learn({ orderId, status, order, reason }) {
    const known = this.#find(orderId);
    if (known) {
      Object.assign(known, order, { status, reason: reason ?? known.reason });
      const shown = this.#shown.get(orderId);
      if (shown) shown.isStale = true;
      this.#plan();
    } else if (order?.lane) {
      // Another device of the same user placed it.
      this.placed({ orderId, status, reason, ...order });
    }
  }

  /** @param {string} orderId */
  #find(orderId) {
    return this.#shown.get(orderId)?.order ?? this.#fresh.get(orderId);
  }

  #plan() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setTimeout(() => {
      this.#isPlanned = false;
      this.#update();
    }, UPDATE_EVERY_MS);
  }

  #update() {
    const fresh = [...this.#fresh.values()].sort(newestFirst);
    this.#fresh.clear();
    for (const order of fresh.slice(0, KEPT)) this.#insert(order);
    this.#forget();
    for (const shown of this.#shown.values()) {
      if (shown.isStale) this.#draw(shown);
    }
  }

  /** Before the first older order: lists and frames come in any order. @param {any} order */
  #insert(order) {
    const older = [...this.#shown.values()].find((shown) => newestFirst(order, shown.order) < 0);
    this.#list.insertBefore(this.#make(order).item, older?.item ?? null);
  }

  /** @param {any} order */
  #make(order) {
    const details = document.createElement('details');
    details.dataset.lane = order.lane;
    const shown = { item: document.createElement('li'), details, order, isStale: true };
    shown.item.dataset.order = order.orderId;
    shown.item.append(details);
    details.append(document.createElement('summary'), document.createElement('dl'));
    details.addEventListener('toggle', () => {
      if (!details.open) return;
      this.#draw(shown);
      this.#ask(order.orderId);
    });
    this.#shown.set(order.orderId, shown);
    this.#draw(shown);
    return shown;
  }

  /** Drops the oldest orders of a long list. */
  #forget() {
    while (this.#list.childElementCount > KEPT) {
      const oldest = /** @type {HTMLLIElement} */ (this.#list.lastElementChild);
      this.#shown.delete(oldest.dataset.order ?? '');
      oldest.remove();
      this.#more.hidden = true;
    }
  }

  /** @param {string} orderId */
  async #ask(orderId) {
    const { status, body } = await this.#client.order(orderId).catch(() => ({ status: 0, body: undefined }));
    const shown = this.#shown.get(orderId);
    if (status !== 200 || !shown) return;
    // The outcome came by a frame, and before this answer.
    if (FINAL.includes(shown.order.status) && !FINAL.includes(body.status)) return;
    Object.assign(shown.order, body);
    this.#draw(shown);
  }

  /** @param {Shown} shown */
  #draw(shown) {
    const { details, order } = shown;
    shown.isStale = false;
    const [summary, list] = details.children;
    const parts = [
      ['lane', order.lane],
      ['id', order.orderId.slice(0, 8)],
      ['total', amount(order)],
      ['status', order.status],
    ];
    summary.replaceChildren(
      ...parts.map(([name, text]) => {
        const part = document.createElement('span');
        part.className = name;
        part.textContent = text;
        return part;
      }),
    );
    details.toggleAttribute('data-bad', BAD.includes(order.status));
    if (!details.open) return;
    const rows = [
      ['Order', order.orderId],
      ['Placed', moment(order.placedAt)],
      ['Confirmed', moment(order.confirmedAt)],
      ['Cancelled', moment(order.cancelledAt)],
      ['Why', order.reason],
      ...(order.steps ?? []).map((/** @type {any} */ step) => [step.step, step.reason ? `${step.state}: ${step.reason}` : step.state]),
    ];
    list.replaceChildren(
      ...rows
        .filter(([, text]) => text)
        .flatMap(([name, text]) => {
          const [term, value] = [document.createElement('dt'), document.createElement('dd')];
          term.textContent = name;
          value.textContent = text;
          return [term, value];
        }),
    );
  }
}

/** @param {any} one @param {any} other */
function newestFirst(one, other) {
  return (other.placedAt ?? '').localeCompare(one.placedAt ?? '');
}

/** @param {string | undefined} text */
function moment(text) {
  return text && new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}
