// A person's session: orders down every lane, then each window in both schemes, then what the session left behind.
// SETTINGS also has "token": the page's, which must be nowhere, and "report": a file that `twolane compare` wrote.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  LANES, areConfirmed, assertNothingElse, choose, connected, isFigure, open, press, settings, withContext,
} from './browser.mjs';

const WINDOWS = [
  { width: 360, height: 740 },
  { width: 1280, height: 900 },
  { width: 1920, height: 1080 },
];

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** In the async lane, the worker finds that an order is bad. */
const REFUSING = LANES.filter((lane) => lane !== 'async');

await withContext({ profile: join(settings.folder, 'profile') }, async (context) => {
  const urls = [];
  context.on('request', (request) => urls.push(request.url()));
  const { page, complaints } = await open(context);
  await connected(page);
  await race(page);
  await look(page);
  // The browser itself writes refused orders to the console.
  const refused = complaints.filter((complaint) => /status of 400/.test(complaint));
  assert.equal(refused.length, REFUSING.length);
  assertNothingElse(complaints, /status of 400/);
  await leavesNothing(page, urls);
});

async function race(page) {
  // By keyboard.
  await page.getByRole('button', { name: 'One order' }).focus();
  await page.keyboard.press('Enter');
  for (const lane of LANES) await areConfirmed(page, lane, 1);
  const order = page.locator('#list details[data-lane=bus]').first();
  await order.locator('summary').focus();
  await page.keyboard.press('Enter');
  await order.getByText('DONE').nth(2).waitFor();

  await press(page, 'A bad order');
  await isFigure(page, 'async', 'rejected', 1);
  for (const lane of REFUSING) await isFigure(page, lane, 'refused', 1);
  await page.locator('#list details[data-lane=async] .status', { hasText: 'REJECTED' }).waitFor();
  await page.getByText(/currency: must be an ISO 4217/).first().waitFor();

  await choose(page, ['bus']);
  await press(page, 'Ten orders');
  await isFigure(page, 'bus', 'accepted', 11);
  await choose(page, ['sync', 'async']);
  await press(page, 'A burst');
  for (const lane of LANES) await areConfirmed(page, lane, lane === 'bus' ? 11 : 61);

  await page.locator('#file').setInputFiles(settings.report);
  await page.locator('#shown td').first().waitFor();
}

/** In both schemes: nothing is cut off, buttons are large enough for a finger, and axe finds nothing serious. */
async function look(page) {
  const views = ['light', 'dark'].flatMap((colorScheme) => WINDOWS.map((viewport) => ({ colorScheme, viewport })));
  for (const { colorScheme, viewport } of views) {
    const view = `${colorScheme}-${viewport.width}`;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    await page.screenshot({ path: join(settings.folder, `${view}.png`), fullPage: true });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= viewport.width, `${view}: the page is ${width} wide`);
    for (const button of await page.getByRole('button').all()) {
      const box = await button.boundingBox();
      assert.ok(box === null || box.height >= 24, `${view}: a button is ${box?.height} high`);
    }
  }
  await page.evaluate(AXE);
  for (const { colorScheme, viewport } of views) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    const violations = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run();
      return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ html }) => html.slice(0, 120)) }));
    });
    const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    assert.deepEqual(grave, [], `${colorScheme}-${viewport.width}`);
  }
}

/** No storage is used, and no address has the token. The test looks for it in the profile's files. */
async function leavesNothing(page, urls) {
  const kept = await page.evaluate(async () => ({
    address: location.href,
    storage: { ...localStorage, ...sessionStorage },
    cookie: document.cookie,
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
  assert.deepEqual(kept, { address: settings.url, storage: {}, cookie: '', databases: [], caches: [], workers: 0 });
  assert.ok(urls.length > 100, `${urls.length} requests were seen`);
  assert.deepEqual(urls.filter((url) => url.includes(settings.token)), []);
}
