// A page of an unlisted origin. SETTINGS also has "stranger": the page's files, served from another origin.

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

// Another site on this machine asks the page's origin for a token, without its own security policy.
await withContext({ bypassCSP: true }, async (context) => {
  const { page } = await open(context, { url: settings.stranger });
  for (const mode of ['cors', 'no-cors']) {
    const got = await page.evaluate(
      ({ url, mode }) => fetch(url, { method: 'POST', mode }).then((answer) => answer.text(), (error) => `${error}`),
      { url: `${settings.url}token`, mode },
    );
    assert.equal(got, 'TypeError: Failed to fetch', mode);
  }
});
