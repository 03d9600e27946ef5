// How long samples/order-socket.mjs waits before each attempt to connect. Needs no stack.

import assert from 'node:assert/strict';
import { OrderSocket } from '../../samples/order-socket.mjs';

const PING_EVERY_MS = 7;
const FRAMES = { pong: '{"type":"pong"}', error: '{"type":"error","detail":"x"}', failure: '{"message":"Internal server error"}' };

/** Pauses between attempts. Each socket opens, receives its frame of the list, and is closed. */
async function pauses(received) {
  const found = [];
  await new Promise((resolve) => {
    Math.random = () => 1;
    // Records pauses instead of waiting.
    globalThis.setTimeout = (then, pause) => {
      if (pause === PING_EVERY_MS) return;
      found.push(pause);
      if (found.length === received.length) resolve();
      else queueMicrotask(then);
    };
    globalThis.clearTimeout = () => {};
    let opened = 0;
    globalThis.WebSocket = class extends EventTarget {
      constructor() {
        super();
        const frame = received[opened++];
        queueMicrotask(() => {
          this.dispatchEvent(new Event('open'));
          if (frame) this.dispatchEvent(new MessageEvent('message', { data: FRAMES[frame] }));
          this.dispatchEvent(new Event('close'));
        });
      }
    };
    new OrderSocket({ url: 'ws://stack.example', token: () => 'token', onOutcome: () => {}, pingEveryMs: PING_EVERY_MS });
  });
  return found;
}

const nothing = [undefined, undefined, undefined, undefined, undefined, undefined, undefined];
assert.deepEqual(await pauses(nothing), [1000, 2000, 4000, 8000, 16000, 30000, 30000], 'sockets that open and are closed at once');
assert.deepEqual(await pauses([undefined, undefined, 'pong', undefined]), [1000, 2000, 1000, 2000], 'an answer starts over');
assert.deepEqual(await pauses(['error', 'error', 'failure']), [1000, 2000, 4000], 'an error does not');
console.log('order-socket-pauses: all well');
