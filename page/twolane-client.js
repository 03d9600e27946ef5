// @ts-check
// A client of a Twolane stack for browsers and Node.js 22 or newer: places orders, and misses no outcome. It has no
// dependencies: copy it as it is. See docs/browser.md.

/**
 * @typedef {object} AccessToken
 * @property {string} token a JWT that the stack's issuer signed
 * @property {number} expiresAt when it expires, in milliseconds since 1970
 */

/**
 * @typedef {object} Options
 * @property {string} apiUrl the stack's output `ApiUrl`
 * @property {string} [webSocketUrl] the stack's output `WebSocketUrl`; without it, outcomes come from `catchUp` alone
 * @property {() => Promise<AccessToken>} token an access token; called when there is none, or the last one is about to expire
 * @property {number} [pingEveryMs] between two pings, in milliseconds: 5 minutes
 */

/**
 * @typedef {object} Answer
 * @property {number} status the HTTP status
 * @property {any} body the JSON of the body, or `undefined`
 * @property {number | undefined} retryAfterMs how long the stack asks to wait, in milliseconds
 */

/**
 * What is known of an order. The detail of the event `order`.
 *
 * @typedef {object} Update
 * @property {string} orderId
 * @property {string} status `PENDING`, `PLACED`, `CONFIRMED`, `CANCELLED`, `REJECTED` or `FAILED`
 * @property {any} [order] the order, as in `GET /orders/{orderId}` or the list
 * @property {string} [reason] why it was cancelled, was rejected or failed
 * @property {'frame' | 'list' | 'answer'} source how this client learned of it
 */

/** API Gateway closes a socket after ten minutes without messages. */
const PING_EVERY_MS = 5 * 60_000;

/** Before the next attempt to connect. */
const LONGEST_PAUSE_MS = 30_000;

/** How long before its end a token is replaced: longer than a request takes. */
const RENEW_BEFORE_MS = 60_000;

/** Source: HTML standard, timers, a signed 32-bit number of milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Difference between the clocks of this machine and of the stack. */
const CLOCK_MARGIN_MS = 2 * 60_000;

/** Orders remembered: those with an outcome, to recognise repeats, and those without. */
const REMEMBERED = 10_000;

/** An order with one of these never changes. */
export const FINAL = ['CONFIRMED', 'CANCELLED', 'REJECTED'];

const STATUS_OF_FRAME = {
  'order.confirmed': 'CONFIRMED',
  'order.cancelled': 'CANCELLED',
  'order.rejected': 'REJECTED',
  'order.failed': 'FAILED',
};

/**
 * A client of one stack, as one user.
 *
 * Events:
 * - `order`, a `CustomEvent<Update>`: news of an order. A final status comes once.
 * - `connection`, a `CustomEvent<{ state: 'open' | 'connecting' | 'closed', retryInMs?: number }>`: the socket's state.
 */
export class TwolaneClient extends EventTarget {
  /** @type {Required<Options>} */
  #options;
  /** @type {Promise<AccessToken> | undefined} */
  #token;
  /** By the stack. @type {string | undefined} */
  #refused;
  /** Orders without a final status: when each was placed, in milliseconds since 1970. @type {Map<string, number>} */
  #undecided = new Map();
  /** By order. @type {Map<string, string>} */
  #decided = new Map();
  /** When the newest seen order was placed. */
  #newest = 0;
  #lists = true;
  /** @type {WebSocket | undefined} */
  #socket;
  /** Stays until `#socket` is open. @type {WebSocket | undefined} */
  #replaced;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reconnect;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #ping;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewal;
  #isAnswered = true;
  #attempts = 0;
  #isRunning = false;

  /** @param {Options} options */
  constructor(options) {
    super();
    this.#options = { pingEveryMs: PING_EVERY_MS, webSocketUrl: '', ...options };
  }

  /** Opens the socket, and keeps it open. */
  start() {
    if (this.#isRunning || !this.#options.webSocketUrl) return;
    this.#isRunning = true;
    globalThis.addEventListener?.('online', this.#online);
    globalThis.addEventListener?.('offline', this.#offline);
    this.#connect();
  }

  /** Closes the socket for good. */
  end() {
    this.#isRunning = false;
    globalThis.removeEventListener?.('online', this.#online);
    globalThis.removeEventListener?.('offline', this.#offline);
    this.#drop();
    this.#dispatch('connection', { state: 'closed' });
  }

  /**
   * Places an order, and follows it. Repeating it with the same id is safe.
   *
   * @param {string} lane `sync`, `async` or `bus`
   * @param {object} order the body: currency, items and, if you like, note
   * @param {string} [orderId] a UUID
   * @returns {Promise<Answer & { orderId: string }>} rejects without an answer: repeat it with that id
   */
  async place(lane, order, orderId = crypto.randomUUID()) {
    const isRepeat = this.#undecided.has(orderId);
    // The outcome may come before the answer.
    this.follow(orderId);
    const answer = await this.request('PUT', `/${lane}/orders/${orderId}`, order);
    // If it is a repeat, an earlier request may have been accepted.
    if (answer.status >= 400 && !isRepeat) this.#undecided.delete(orderId);
    if (answer.body?.orderId === orderId) this.#learn({ ...news(answer.body), source: 'answer' });
    return { ...answer, orderId };
  }

  /**
   * Waits for the outcome of an order.
   *
   * @param {string} orderId
   * @param {number} [placedAt] when it was placed, in milliseconds since 1970
   */
  follow(orderId, placedAt = Date.now()) {
    if (FINAL.includes(this.#decided.get(orderId) ?? '')) return;
    this.#undecided.set(orderId, placedAt);
    dropOldest(this.#undecided);
  }

  /**
   * How an order stands.
   *
   * @param {string} orderId
   * @returns {Promise<Answer>}
   */
  async order(orderId) {
    const answer = await this.request('GET', `/orders/${orderId}`);
    if (answer.status === 200) this.#learn({ ...news(answer.body), source: 'answer' });
    return answer;
  }

  /**
   * A page of the user's orders, newest first. Follows those without a final status.
   *
   * @param {{ limit?: number, since?: string, next?: string }} [query]
   * @returns {Promise<Answer>} its body has `orders` and, if a page follows, `next`
   */
  async orders(query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const answer = await this.request('GET', `/orders?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`);
    for (const order of answer.body?.orders ?? []) this.#note(order);
    return answer;
  }

  /**
   * Asks for what happened while no socket was open: the list, then each order without a final status in it. Called after
   * each connection. Rejects if the stack does not answer, or only later.
   */
  async catchUp() {
    if (!this.#newest && this.#undecided.size === 0) {
      this.#newest = Date.now();
      return;
    }
    const oldest = [...this.#undecided.values()].reduce((oldest, placedAt) => Math.min(oldest, placedAt), this.#newest || Infinity);
    const since = new Date(oldest - CLOCK_MARGIN_MS).toISOString();
    /** @type {string | undefined} */
    let next;
    while (this.#lists) {
      const { status, body } = await this.orders({ limit: 100, since, next });
      // A stack may be deployed without the list.
      if (status === 404) this.#lists = false;
      if (status === 429 || status >= 500) throw new Error(`The list of orders was answered ${status}`);
      if (status !== 200) break;
      for (const order of body.orders) this.#learn({ ...news(order), source: 'list' });
      next = body.next;
      if (!next) break;
    }
    for (const orderId of this.#undecided.keys()) this.#subscribe(orderId);
  }

  /**
   * Sends a request with an access token, once more with a new one if the first is refused.
   *
   * @param {string} method
   * @param {string} path below the API's URL
   * @param {object} [body]
   * @returns {Promise<Answer>} rejects without an answer
   */
  async request(method, path, body) {
    let { token } = await this.#validToken();
    let response = await this.#send(token, method, path, body);
    if (response.status === 401) {
      this.#refused = token;
      ({ token } = await this.#validToken());
      response = await this.#send(token, method, path, body);
    }
    const text = await response.text();
    const seconds = Number(response.headers.get('Retry-After'));
    return { status: response.status, body: parsed(text), retryAfterMs: seconds > 0 ? seconds * 1000 : undefined };
  }

  /**
   * @param {string} token
   * @param {string} method
   * @param {string} path
   * @param {object | undefined} body
   */
  #send(token, method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { Authorization: `Bearer ${token}` };
    if (body) headers['Content-Type'] = 'application/json';
    return fetch(this.#options.apiUrl + path, { method, headers, body: body && JSON.stringify(body), cache: 'no-store' });
  }

  /** A new token if it was refused or is about to expire. Concurrent callers share one. */
  async #validToken() {
    const known = this.#token;
    if (known) {
      const { token, expiresAt } = await known.catch(() => ({ token: '', expiresAt: 0 }));
      if (token !== this.#refused && expiresAt - RENEW_BEFORE_MS > Date.now()) return known;
    }
    if (this.#token === known) this.#token = this.#options.token();
    return /** @type {Promise<AccessToken>} */ (this.#token);
  }

  async #connect() {
    clearTimeout(this.#reconnect);
    this.#dispatch('connection', { state: 'connecting' });
    /** @type {AccessToken} */
    let access;
    /** @type {WebSocket} */
    let socket;
    try {
      access = await this.#validToken();
      if (!this.#isRunning) return;
      socket = new WebSocket(this.#options.webSocketUrl, ['twolane.v1', `twolane.token.${access.token}`]);
    } catch {
      if (this.#isRunning) this.#connectLater();
      return;
    }
    this.#replaced?.close();
    this.#replaced = this.#socket;
    this.#socket = socket;
    let isOpened = false;
    socket.addEventListener('open', () => {
      isOpened = true;
      if (socket !== this.#socket) return;
      this.#replaced?.close();
      this.#replaced = undefined;
      this.#dispatch('connection', { state: 'open' });
      this.#isAnswered = true;
      this.#pingLater(socket);
      // A socket ends with its token.
      const left = access.expiresAt - Date.now() - RENEW_BEFORE_MS;
      this.#renewal = setTimeout(() => this.#connect(), Math.min(Math.max(left, RENEW_BEFORE_MS / 2), LONGEST_TIMER_MS));
      this.catchUp().catch(() => socket.close());
    });
    socket.addEventListener('message', (message) => this.#receive(message.data));
    socket.addEventListener('close', () => {
      if (socket !== this.#socket) return;
      // A browser does not say why a socket was refused. If it is the token, a request gets a new one.
      if (!isOpened) this.request('GET', `/orders/${crypto.randomUUID()}`).catch(() => {});
      this.#lost();
    });
  }

  #lost() {
    this.#drop();
    if (this.#isRunning) this.#connectLater();
  }

  #drop() {
    clearTimeout(this.#reconnect);
    clearTimeout(this.#ping);
    clearTimeout(this.#renewal);
    const sockets = [this.#socket, this.#replaced];
    this.#socket = this.#replaced = undefined;
    for (const socket of sockets) socket?.close();
  }

  #connectLater() {
    // At random, so that not every page connects at once after an outage.
    const retryInMs = Math.random() * Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#reconnect = setTimeout(() => this.#connect(), retryInMs);
    this.#dispatch('connection', { state: 'connecting', retryInMs });
  }

  #online = () => {
    if (this.#socket?.readyState !== WebSocket.OPEN) this.#connect();
  };

  #offline = () => this.#lost();

  /** @param {WebSocket} socket */
  #pingLater(socket) {
    clearTimeout(this.#ping);
    this.#ping = setTimeout(() => {
      if (socket !== this.#socket) return;
      // A laptop slept, or a network changed: the browser may not know yet.
      if (!this.#isAnswered) return this.#lost();
      this.#isAnswered = false;
      socket.send('{"action":"ping"}');
      this.#pingLater(socket);
    }, this.#options.pingEveryMs);
  }

  /** @param {string} orderId */
  #subscribe(orderId) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ action: 'subscribe', orderId }));
  }

  /** @param {string} text */
  #receive(text) {
    const frame = parsed(text);
    this.#isAnswered = true;
    // An open socket proves little: the server may close it at once.
    if (frame?.type && frame.type !== 'error') this.#attempts = 0;
    const { orderId, order } = frame ?? {};
    if (typeof orderId !== 'string') return;
    const status = STATUS_OF_FRAME[/** @type {keyof STATUS_OF_FRAME} */ (frame.type)] ?? frame.status;
    this.#learn({ orderId, status, order, reason: frame.reason ?? order?.reason, source: 'frame' });
  }

  /** Passes news on, unless it repeats an outcome or is older than one. @param {Update} update */
  #learn(update) {
    const { orderId, status } = update;
    const known = this.#decided.get(orderId);
    if (known !== undefined && (FINAL.includes(known) || known === status)) return;
    this.#note({ ...update.order, orderId, status });
    if (FINAL.includes(status) || status === 'FAILED') {
      this.#decided.set(orderId, status);
      dropOldest(this.#decided);
    }
    // A failed order can still be confirmed, by a redrive.
    if (FINAL.includes(status)) this.#undecided.delete(orderId);
    this.#dispatch('order', update);
  }

  /** Keeps what `catchUp` needs. @param {{ orderId: string, status: string, placedAt?: string }} order */
  #note({ orderId, status, placedAt = '' }) {
    const at = Date.parse(placedAt);
    if (at > this.#newest) this.#newest = at;
    if (at && !FINAL.includes(status)) this.follow(orderId, at);
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {Map<string, unknown>} orders */
function dropOldest(orders) {
  for (const oldest of orders.keys()) {
    if (orders.size <= REMEMBERED) break;
    orders.delete(oldest);
  }
}

/** @param {any} order */
function news(order) {
  return { orderId: order.orderId, status: order.status, order, reason: order.reason };
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
