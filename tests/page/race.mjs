// Uses the page in Chromium as a person would, and fails at the first thing that is wrong.
//
// `node race.mjs SETTINGS` where SETTINGS is JSON: {"browser": program, "screenshots": folder, "url": the page}.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const WINDOWS = [
  { width: 360, height: 740 },
  { width: 1280, height: 900 },
  { width: 1920, height: 1080 },
];
const LANES = ['sync', 'async', 'bus'];
const COLUMNS = ['Lane', 'Sent', 'Accepted', 'Refused', 'Waiting', 'Confirmed', 'Cancelled', 'Rejected'];

/** Longest wait for anything, in milliseconds. A message that fails once is delivered again within a minute, twice within three. */
const DEADLINE = 240_000;

const settings = JSON.parse(process.argv[2]);
// Root may not have the browser's own sandbox; the page is ours.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: settings.browser, args });
try {
  await race();
  await look();
} finally {
  await browser.close();
}

/** A page whose complaints are collected: errors, the console's words (violations of the policy among them), foreign requests. */
async function open(options = {}) {
  const context = await browser.newContext({ viewport: WINDOWS[1], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  const complaints = [];
  page.on('console', (message) => complaints.push(`the console says: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`an error: ${error}`));
  await page.goto(settings.url);
  await page.getByText('Connected: outcomes arrive').waitFor();
  return { context, page, complaints };
}

/** Waits until a lane's row has that number in that column. */
async function isFigure(page, lane, column, expected) {
  const cell = page.locator(`#figures tr[data-lane=${lane}] > :nth-child(${COLUMNS.indexOf(column) + 1})`);
  await cell.filter({ hasText: new RegExp(`^${expected}$`) }).waitFor().catch(async () => {
    assert.fail(`${lane}: ${column} is not ${expected}:\n${await page.locator('#figures').innerText()}`);
  });
}

async function race() {
  const { context, page, complaints } = await open();

  // By keyboard alone.
  await page.getByRole('button', { name: 'One order' }).focus();
  await page.keyboard.press('Enter');
  for (const lane of LANES) {
    await isFigure(page, lane, 'Confirmed', 1);
    await isFigure(page, lane, 'Waiting', 0);
  }
  const order = page.locator('#list details[data-lane=bus]').first();
  await order.locator('summary').focus();
  await page.keyboard.press('Enter');
  await order.getByText('DONE').nth(2).waitFor();

  // Two lanes refuse it at once: the browser writes failed requests to the console by itself.
  const before = complaints.length;
  await page.getByRole('button', { name: 'A bad order' }).click();
  await isFigure(page, 'async', 'Rejected', 1);
  for (const lane of ['sync', 'bus']) await isFigure(page, lane, 'Refused', 1);
  await page.locator('#list details[data-lane=async] .status', { hasText: 'REJECTED' }).waitFor();
  await page.getByText(/currency: must be an ISO 4217/).first().waitFor();
  const words = complaints.splice(before);
  assert.ok(words.every((word) => word.includes('status of 400')), words.join('\n'));

  await page.getByRole('button', { name: 'A burst' }).click();
  for (const lane of LANES) await isFigure(page, lane, 'Confirmed', 61);
  for (const lane of LANES) await isFigure(page, lane, 'Waiting', 0);
  await page.screenshot({ path: join(settings.screenshots, 'burst.png'), fullPage: true });

  // The network goes away after orders left, and comes back.
  await page.getByRole('checkbox', { name: 'Sync' }).uncheck();
  await page.getByRole('button', { name: 'Ten orders' }).click();
  await isFigure(page, 'async', 'Accepted', 72);
  await isFigure(page, 'bus', 'Accepted', 71);
  await context.setOffline(true);
  await page.getByText('Not connected').waitFor();
  await context.setOffline(false);
  await page.getByText('Connected: outcomes arrive').waitFor();
  for (const lane of ['async', 'bus']) {
    await isFigure(page, lane, 'Confirmed', 71);
    await isFigure(page, lane, 'Waiting', 0);
  }
  // While it was away, attempts to connect failed: nothing else may be wrong.
  const wrong = complaints.filter((word) => !/ERR_INTERNET_DISCONNECTED|WebSocket connection/.test(word));
  assert.deepEqual(wrong, []);

  // Nothing is kept, and the token is in no place that outlives the page.
  const kept = await page.evaluate(() => ({ ...localStorage, ...sessionStorage, cookie: document.cookie, url: location.href }));
  assert.deepEqual(kept, { cookie: '', url: settings.url });
  await context.close();
}

/** Each window in both schemes: nothing is cut off, and every button is large enough for a finger. */
async function look() {
  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of WINDOWS) {
      const { context, page, complaints } = await open({ colorScheme, viewport, reducedMotion: 'reduce' });
      await page.locator('#list details').first().waitFor();
      const view = `${colorScheme}-${viewport.width}`;
      await page.screenshot({ path: join(settings.screenshots, `${view}.png`), fullPage: true });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${view}: the page is ${width} wide`);
      for (const button of await page.getByRole('button').all()) {
        const box = await button.boundingBox();
        assert.ok(box === null || box.height >= 24, `${view}: a button is ${box?.height} high`);
      }
      assert.deepEqual(complaints, [], view);
      await context.close();
    }
  }
}
