// Tests samples/order-socket.mjs on the stack of TWOLANE_API_URL, TWOLANE_WEBSOCKET_URL and TWOLANE_TOKEN.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { OrderSocket } from '../../samples/order-socket.mjs';

const { TWOLANE_API_URL: api, TWOLANE_WEBSOCKET_URL: url, TWOLANE_TOKEN: token } = process.env;
const DEADLINE_MS = 25_000;

const [sockets, frames] = [[], []];
globalThis.WebSocket = class extends WebSocket {
  constructor(...parameters) {
    super(...parameters);
    sockets.push(this);
    this.addEventListener('message', (message) => frames.push(JSON.parse(message.data)));
  }
};

async function until(what, found) {
  const end = Date.now() + DEADLINE_MS;
  while (Date.now() < end) {
    const value = await found();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`timed out waiting until ${what}`);
}

async function request(method, path, body) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return fetch(`${api}/${path}`, { method, headers, body });
}

async function place(id) {
  const items = [{ sku: 'SKU-1', quantity: 2, unitPriceMinor: 1999 }];
  const answer = await request('PUT', `async/orders/${id}`, JSON.stringify({ currency: 'EUR', items }));
  assert.equal(answer.status, 202);
}

const isSettled = async (id) => (await (await request('GET', `orders/${id}`)).json()).status === 'CONFIRMED';

const outcomes = [];
let mayConnect = Promise.resolve();
const socket = new OrderSocket({
  url,
  token: () => mayConnect.then(() => token),
  onOutcome: (frame) => outcomes.push(frame),
  // Longer than an answer takes on a busy machine.
  pingEveryMs: 4_000,
});

// It keeps its socket open.
await until('a ping is answered', () => frames.some((frame) => frame.type === 'pong'));

// It receives an outcome once, with the id in any case.
const first = randomUUID();
socket.follow(first.toUpperCase());
await place(first.toUpperCase());
await until('the first outcome is received', () => outcomes.length > 0);
// If the worker was faster, the answer to `subscribe` has the outcome.
assert.ok(outcomes[0].type === 'order.confirmed' || outcomes[0].status === 'CONFIRMED', JSON.stringify(outcomes[0]));
assert.equal(outcomes[0].orderId, first);

// It misses no outcome while no socket is open.
const second = randomUUID();
socket.follow(second);
let allow;
mayConnect = new Promise((resolve) => (allow = resolve));
const cut = sockets.at(-1);
// As when the network is cut: the socket receives nothing, and the other side sends no close frame.
cut.close();
cut.dispatchEvent(new Event('close'));
await place(second);
await until('the order is settled', () => isSettled(second));
assert.equal(outcomes.length, 1);
allow();
await until('the second outcome is received', () => outcomes.length > 1);
assert.deepEqual([outcomes[1].type, outcomes[1].orderId, outcomes[1].status], ['order.status', second, 'CONFIRMED']);
assert.notEqual(sockets.at(-1), cut);
assert.deepEqual(frames.filter((frame) => frame.type === 'error'), []);

// end() ends it.
const opened = sockets.length;
socket.end();
assert.ok(sockets.at(-1).readyState >= WebSocket.CLOSING);
assert.equal(sockets.length, opened);
console.log('order-socket: all well');
process.exit(0);
