// A page of an origin that the stack does not list. SETTINGS also has "stranger": the page's files, served from another origin.

import assert from 'node:assert/strict';
import { assertNothingElse, choose, isFigure, open, press, settings, withContext } from './browser.mjs';

await withContext({}, async (context) => {
  const { page, complaints } = await open(context, { url: settings.stranger });
  await page.getByText(`CorsAllowedOrigins list ${new URL(settings.stranger).origin}`).waitFor();
  await choose(page, ['sync']);
  await press(page, 'One order');
  await isFigure(page, 'sync', 'refused', 1);
  await isFigure(page, 'sync', 'accepted', 0);
  assertNothingElse(complaints, /CORS policy|ERR_FAILED/);
});

// Another site on this machine asks the page's origin for a token. Its own security policy is out of the way.
await withContext({ bypassCSP: true }, async (context) => {
  const { page } = await open(context, { url: settings.stranger });
  const answered = page.waitForResponse(`${settings.url}token`);
  const got = await page.evaluate(async (url) => {
    try {
      return await (await fetch(url, { method: 'POST' })).text();
    } catch (error) {
      return String(error);
    }
  }, `${settings.url}token`);
  assert.equal(got, 'TypeError: Failed to fetch');
  assert.equal((await answered).status(), 403);
});
