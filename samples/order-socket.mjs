// Follows orders over the WebSocket API: keeps the socket open, connects again after a cut, and misses no outcome.
// It runs in browsers and in Node.js 22 or newer, and depends on nothing. docs/websocket.md explains it.

/** Well below the ten minutes after which API Gateway closes a socket without messages. */
const PING_EVERY_MS = 5 * 60_000;

/** Longest pause before the next attempt to connect. */
const LONGEST_PAUSE_MS = 30_000;

/** One connection at a time to the WebSocket API. */
export class OrderSocket {
  #options;
  #following = new Set();
  #socket;
  #timer;
  #isAnswered;
  #attempts = 0;
  #isEnded = false;

  /**
   * @param {object} options
   * @param {string} options.url the stack's output `WebSocketUrl`
   * @param {() => string | Promise<string>} options.token an access token that has not expired; called before each attempt
   * @param {(frame: object) => void} options.onOutcome called once for each order that you follow: with `order.confirmed`,
   *   `order.cancelled`, `order.rejected` or `order.failed`, or with `order.status` where the outcome came before the socket opened
   * @param {number} [options.pingEveryMs]
   */
  constructor(options) {
    this.#options = { pingEveryMs: PING_EVERY_MS, ...options };
    this.#connect();
  }

  /** Follows an order. Call it before or after the order is placed. */
  follow(orderId) {
    // The API answers in lower case, whatever is sent.
    const id = orderId.toLowerCase();
    this.#following.add(id);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe(id);
  }

  /** Closes the socket for good. */
  end() {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  async #connect() {
    let socket;
    try {
      const token = await this.#options.token();
      if (this.#isEnded) return;
      socket = new WebSocket(this.#options.url, ['twolane.v1', `twolane.token.${token}`]);
    } catch {
      this.#connectLater();
      return;
    }
    this.#socket = socket;
    socket.addEventListener('open', () => {
      // Catches up: the answer says what happened while no socket was open.
      this.#following.forEach((id) => this.#subscribe(id));
      this.#isAnswered = true;
      this.#pingLater(socket);
    });
    socket.addEventListener('message', (message) => this.#receive(JSON.parse(message.data)));
    // API Gateway closes every socket after two hours, and an expired token closes it too.
    socket.addEventListener('close', () => this.#lost(socket));
  }

  #subscribe(orderId) {
    this.#socket.send(JSON.stringify({ action: 'subscribe', orderId }));
  }

  #pingLater(socket) {
    this.#timer = setTimeout(() => {
      if (!this.#isAnswered) {
        // A laptop slept, or a network changed: the browser may not know yet.
        socket.close();
        this.#lost(socket);
        return;
      }
      this.#isAnswered = false;
      socket.send(JSON.stringify({ action: 'ping' }));
      this.#pingLater(socket);
    }, this.#options.pingEveryMs);
  }

  #receive(frame) {
    this.#isAnswered = true;
    // An open socket proves little: the server may close it at once.
    if (frame.type && frame.type !== 'error') this.#attempts = 0;
    const isOutcome = ['order.confirmed', 'order.cancelled', 'order.rejected', 'order.failed'].includes(frame.type);
    const isSettled = frame.type === 'order.status' && !['PENDING', 'PLACED'].includes(frame.status);
    // Frames may repeat. Those of orders that others placed for the same user come, too.
    if ((isOutcome || isSettled) && this.#following.delete(frame.orderId)) this.#options.onOutcome(frame);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#socket = undefined;
    if (!this.#isEnded) this.#connectLater();
  }

  #connectLater() {
    // At random, so that not every page connects at once after an outage.
    const pause = Math.random() * Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#connect(), pause);
  }
}
