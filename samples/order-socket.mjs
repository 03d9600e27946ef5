// Follows orders over the WebSocket API. It keeps the socket open, reconnects after a cut, and gets the outcomes from meanwhile.
// It runs in browsers and in Node.js 22 or newer, without dependencies. docs/websocket.md explains it.

/** Well below ten minutes, after which API Gateway closes a socket without messages. */
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
   *   `order.cancelled`, `order.rejected` or `order.failed`. With `order.status`, the outcome came before the socket opened
   * @param {number} [options.pingEveryMs]
   */
  constructor(options) {
    this.#options = { pingEveryMs: PING_EVERY_MS, ...options };
    this.#connect();
  }

  /** Follows an order. Call it before or after the order is placed. */
  follow(orderId) {
    // The API answers with ids in lower case.
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
      // Catches up: the answers have the outcomes from before this socket opened.
      this.#following.forEach((id) => this.#subscribe(id));
      this.#isAnswered = true;
      this.#pingLater(socket);
    });
    socket.addEventListener('message', (message) => this.#receive(JSON.parse(message.data)));
    // API Gateway closes every socket after two hours. The API closes a socket after its token expired.
    socket.addEventListener('close', () => this.#lost(socket));
  }

  #subscribe(orderId) {
    this.#socket.send(JSON.stringify({ action: 'subscribe', orderId }));
  }

  #pingLater(socket) {
    this.#timer = setTimeout(() => {
      if (!this.#isAnswered) {
        // The laptop slept, or the network changed, and the browser may not have noticed.
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
    // Only a frame resets the back-off: the server may close a socket as soon as it opens.
    if (frame.type && frame.type !== 'error') this.#attempts = 0;
    const isOutcome = ['order.confirmed', 'order.cancelled', 'order.rejected', 'order.failed'].includes(frame.type);
    const isSettled = frame.type === 'order.status' && !['PENDING', 'PLACED'].includes(frame.status);
    // Frames may repeat, and other clients of the same user may place orders, too.
    if ((isOutcome || isSettled) && this.#following.delete(frame.orderId)) this.#options.onOutcome(frame);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#socket = undefined;
    if (!this.#isEnded) this.#connectLater();
  }

  #connectLater() {
    // A random delay, so that pages do not all reconnect at once after an outage.
    const pause = Math.random() * Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#connect(), pause);
  }
}
