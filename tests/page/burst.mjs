// A burst while create-order has a concurrency of one: the sync lane refuses orders, and the queues take all.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DESK, assertNothingElse, areConfirmed, connected, eventually, isFigure, open, press, settings, withContext } from './browser.mjs';

const ORDERS = 60;

await withContext({}, async (context) => {
  const { page, complaints } = await open(context);
  await connected(page);
  await press(page, `A burst of ${ORDERS}`);
  await eventually('the queues have messages', async () => (await figure(page, 'bus', 'queue-depth')) > 0);
  await picture(page);
  for (const lane of ['async', 'bus']) {
    await isFigure(page, lane, 'accepted', ORDERS);
    await areConfirmed(page, lane, ORDERS);
  }
  for (const lane of ['async', 'bus']) await isFigure(page, lane, 'queue-depth', 0);
  await isFigure(page, 'sync', 'queue-depth', '–');
  await isFigure(page, 'sync', 'sent', ORDERS);
  const [refused, confirmed] = [await figure(page, 'sync', 'refused'), await figure(page, 'sync', 'confirmed')];
  assert.ok(refused > 0 && confirmed > 0, `sync: ${refused} refused, ${confirmed} confirmed`);
  assert.equal(refused + confirmed, ORDERS);
  // The browser itself writes refusals to the console.
  const provoked = /status of (429|500|503)/;
  assert.equal(complaints.filter((complaint) => provoked.test(complaint)).length, refused);
  assertNothingElse(complaints, provoked);
});

async function figure(page, lane, name) {
  return Number(await page.locator(`#figures [data-lane=${lane}][data-figure=${name}]`).innerText());
}

/** In mid-burst. `UPDATE_DOCS=1` puts it into docs/images. */
async function picture(page) {
  const half = ORDERS / 2;
  await eventually('half of the burst is confirmed', async () => (await figure(page, 'async', 'confirmed')) > half);
  const { height } = await page.locator('section').first().boundingBox();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const clip = { x: 0, y: 0, width: DESK.width, height: height + 120 };
    await page.screenshot({ path: join(settings.folder, `page-burst-${colorScheme}.png`), clip });
  }
}
