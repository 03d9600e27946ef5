// The network fails in two ways while orders end: nothing is missed, and nothing counts twice. SETTINGS also has
// "token": the page's, with which another device of the same user places orders.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  LANES, areConfirmed, assertNothingElse, choose, connected, eventually, isFigure, open, press, settings, withContext,
} from './browser.mjs';

const ORDER = { currency: 'EUR', items: [{ sku: 'SKU-1', quantity: 1, unitPriceMinor: 1999 }] };
const QUEUED = ['async', 'bus'];

await withContext({}, async (context) => {
  const network = { isDead: false, close: async () => {} };
  const { page, complaints } = await open(context, { prepare: (page) => standBetween(page, network) });
  await connected(page);

  const ids = [];
  page.on('request', (request) => request.method() === 'PUT' && ids.push(request.url().split('/').at(-1)));
  await choose(page, QUEUED);
  network.isDead = true;
  await press(page, 'Ten orders');
  for (const lane of QUEUED) await isFigure(page, lane, 'accepted', 10);
  assert.equal(ids.length, 20);
  for (const id of ids) await isConfirmed(id);
  for (const lane of QUEUED) await isFigure(page, lane, 'waiting', 10);
  // As by a proxy: the page connects again, and asks for what it missed.
  network.isDead = false;
  await network.close();
  for (const lane of QUEUED) await areConfirmed(page, lane, 10);

  // The browser itself loses the network. Meanwhile another device orders.
  await context.setOffline(true);
  await page.getByText('Not connected').waitFor();
  const others = LANES.map((lane) => ({ lane, id: randomUUID() }));
  for (const { lane, id } of others) assert.ok((await api('PUT', `/${lane}/orders/${id}`, ORDER)).status < 300);
  for (const { id } of others) await isConfirmed(id);
  await context.setOffline(false);
  await connected(page);
  for (const { id } of others) await page.locator('#list details', { hasText: id.slice(0, 8) }).getByText('CONFIRMED').waitFor();
  for (const { id } of [...others, ...ids.map((id) => ({ id }))]) {
    assert.equal(await page.locator('#list summary', { hasText: id.slice(0, 8) }).count(), 1, 'an order is shown once');
  }
  for (const lane of QUEUED) await areConfirmed(page, lane, 10);
  await isFigure(page, 'sync', 'sent', 0);
  const listed = await page.locator('#list > li').evaluateAll((items) => items.map((item) => item.dataset.order));
  const places = others.map(({ id }) => listed.indexOf(id));
  assert.deepEqual(places, places.toSorted((one, other) => other - one), 'newest first');

  assertNothingElse(complaints, /ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|WebSocket connection/);
  complaints.length = 0;

  // Answers get lost: the page sends the order again, and counts it once.
  const lost = [];
  await page.route('**/sync/orders/*', async (route) => {
    if (lost.length === 2 || route.request().method() !== 'PUT') return route.continue();
    lost.push(route.request().url());
    await route.fetch();
    return route.abort();
  });
  await choose(page, ['sync']);
  await press(page, 'One order');
  await areConfirmed(page, 'sync', 1);
  await isFigure(page, 'sync', 'refused', 0);
  assert.equal(new Set(lost).size, 1, 'the same id');

  assertNothingElse(complaints, /ERR_FAILED/);
});

/** Between the page and the WebSocket API: passes each frame on twice, or none while the network is dead. */
async function standBetween(page, network) {
  await page.routeWebSocket(() => true, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      if (network.isDead) return;
      socket.send(frame);
      socket.send(frame);
    });
    network.close = async () => {
      await server.close();
      await socket.close();
    };
  });
}

async function isConfirmed(id) {
  await eventually(`${id} is confirmed`, async () => (await (await api('GET', `/orders/${id}`)).json()).status === 'CONFIRMED');
}

function api(method, path, body) {
  const headers = { Authorization: `Bearer ${settings.token}`, 'Content-Type': 'application/json' };
  return fetch(settings.apiUrl + path, { method, headers, body: body && JSON.stringify(body) });
}
