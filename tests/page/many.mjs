// 10 000 orders in one session, and as many again. The network is simulated inside the browser, so that only the page
// is measured.

import assert from 'node:assert/strict';
import { LANES, assertNothingElse, connected, eventually, isFigure, open, press, settings, withContext } from './browser.mjs';

/** 60 orders in three lanes each: 10 080 orders. */
const BURSTS = 56;

/** Bytes, and nodes or listeners, that 10 000 more orders may keep. */
const [MORE_HEAP, MORE_NODES] = [500_000, 50];

/** With the longest list of orders. */
const MOST_ELEMENTS = 700;

await withContext({}, async (context) => {
  await context.addInitScript(simulateNetwork, settings.apiUrl);
  await context.addInitScript(watchInput);
  const { page, complaints } = await open(context);
  await connected(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });

  await placeOrders(page, 1);
  const first = await measure(page, devtools);
  await placeOrders(page, 2);
  // By then the page keeps only the ids of the first 10 000, and these only until others come.
  const second = await eventually('memory is as before', async () => {
    const now = await measure(page, devtools);
    return now.heap - first.heap < MORE_HEAP && now;
  });

  console.log(JSON.stringify({ first, second, inputMs: await page.evaluate(() => globalThis.inputs) }));
  assert.ok(second.nodes - first.nodes < MORE_NODES, `${first.nodes} nodes became ${second.nodes}`);
  assert.ok(second.listeners - first.listeners < MORE_NODES, `${first.listeners} listeners became ${second.listeners}`);
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok(elements < MOST_ELEMENTS, `${elements} elements`);
  assertNothingElse(complaints);
});

/** Presses the button for each burst, and waits for every outcome. */
async function placeOrders(page, round) {
  for (let burst = 0; burst < BURSTS; burst += 1) await press(page, 'A burst');
  for (const lane of LANES) {
    await isFigure(page, lane, 'sent', (round * BURSTS * 60).toLocaleString('en-US'));
    await isFigure(page, lane, 'waiting', 0);
  }
  const sum = () => page.evaluate(() => {
    const of = (figure) => [...document.querySelectorAll(`[data-figure=${figure}]`)].map((cell) => Number(cell.textContent.replaceAll(',', '')));
    return [...of('confirmed'), ...of('rejected')].reduce((sum, count) => sum + count, 0);
  });
  await eventually('every order has an outcome', async () => (await sum()) === round * BURSTS * 60 * LANES.length);
}

/** After garbage collection; and the time that the main thread worked. */
async function measure(page, devtools) {
  await page.requestGC();
  const { metrics } = await devtools.send('Performance.getMetrics');
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners'), processorSeconds: of('TaskDuration') };
}

/** Runs in the page: collects how long the browser took to show an input's effect, in ms. Source: W3C, Event Timing API. */
function watchInput() {
  globalThis.inputs = { count: 0, longest: 0, above100: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntriesByName('click')) {
      globalThis.inputs.count += 1;
      globalThis.inputs.longest = Math.max(globalThis.inputs.longest, duration);
      if (duration > 100) globalThis.inputs.above100 += 1;
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
}

/** Runs in the page: a stack that answers every order after a moment, and rejects each fiftieth. */
function simulateNetwork(apiUrl) {
  const sockets = new Set();
  const realFetch = globalThis.fetch;
  const moment = () => 5 + Math.random() * 300;
  let placed = 0;
  const json = (status, body) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });

  globalThis.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 0;
    constructor() {
      super();
      setTimeout(() => {
        this.readyState = 1;
        sockets.add(this);
        this.dispatchEvent(new Event('open'));
      });
    }
    send() {}
    close() {
      this.readyState = 3;
      sockets.delete(this);
    }
  };
  globalThis.fetch = async (url, options) => {
    if (!String(url).startsWith(apiUrl)) return realFetch(url, options);
    const [lane, , orderId] = String(url).slice(apiUrl.length + 1).split('/');
    await new Promise((resolve) => setTimeout(resolve, moment()));
    if (options.method !== 'PUT') return json(200, { orders: [] });
    placed += 1;
    const order = { orderId, lane, placedAt: new Date().toISOString(), ...JSON.parse(options.body) };
    if (lane === 'sync') return json(201, { ...order, status: 'CONFIRMED' });
    const [type, status] = placed % 50 === 0 ? ['order.rejected', 'REJECTED'] : ['order.confirmed', 'CONFIRMED'];
    const data = JSON.stringify({ type, orderId, order: { ...order, status } });
    setTimeout(() => {
      for (const socket of sockets) socket.dispatchEvent(new MessageEvent('message', { data }));
    }, moment());
    return json(202, { messageId: orderId });
  };
}
