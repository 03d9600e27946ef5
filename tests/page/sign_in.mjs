// The page as a stack hosts it: sign-in at the issuer, orders, renewal by the refresh token, sign-out. SETTINGS also
// has "username", "password": of a user of the issuer, and "tokenUrl": its token endpoint.

import assert from 'node:assert/strict';
import { areConfirmed, assertNothingElse, choose, connected, eventually, open, press, settings, withContext } from './browser.mjs';

await withContext({}, async (context) => {
  const [requested, tokens, grants] = [[], [], []];
  context.on('request', (request) => requested.push(request.url()));
  context.on('response', async (response) => {
    if (response.url() !== settings.tokenUrl) return;
    grants.push(new URLSearchParams(response.request().postData()).get('grant_type'));
    const { access_token, refresh_token } = await response.json();
    tokens.push(...[access_token, refresh_token].filter((token) => token !== undefined));
  });
  const { page, complaints } = await open(context);

  // Until then, there is no token to order with.
  await page.getByText('Sign in to place orders').waitFor();
  assert.equal(await page.locator('#controls').evaluate((controls) => controls.inert), true);

  const signIn = async () => (await Promise.all([context.waitForEvent('page'), press(page, 'Sign in')]))[0];
  const ending = (query) => `${settings.url}signed-in.html?${new URLSearchParams(query)}`;
  const cancelled = await signIn();
  const query = new URL(cancelled.url()).searchParams;
  assert.equal(query.get('response_type'), 'code');
  assert.equal(query.get('code_challenge_method'), 'S256');
  // First a forged answer; then the issuer's, for a user who cancelled.
  await (await context.newPage()).goto(ending({ code: 'forged', state: 'forged' }));
  await cancelled.goto(ending({ error: 'access_denied', error_description: 'cancelled', state: query.get('state') })).catch(() => undefined);
  await page.getByText('You are not signed in: cancelled.').waitFor();
  assert.deepEqual(grants, []);

  const issuer = await signIn();
  await issuer.getByLabel('Username').fill(settings.username);
  await issuer.getByLabel('Password').fill(settings.password);
  await Promise.all([issuer.waitForEvent('close'), issuer.getByRole('button', { name: 'Sign in' }).click()]);

  await connected(page);
  await choose(page, ['sync', 'async']);
  await press(page, 'One order');
  for (const lane of ['sync', 'async']) await areConfirmed(page, lane, 1);
  assert.deepEqual(grants, ['authorization_code']);
  assertNothingElse(complaints);

  // Without the user.
  const refusal = { status: 401, headers: { 'Access-Control-Allow-Origin': '*' }, json: {} };
  await context.route(`${settings.apiUrl}/sync/orders/*`, (route) => route.fulfill(refusal), { times: 1 });
  await choose(page, ['sync']);
  await press(page, 'One order');
  await areConfirmed(page, 'sync', 2);
  assert.deepEqual(grants, ['authorization_code', 'refresh_token']);
  assertNothingElse(complaints, /status of 401/);
  complaints.length = 0;

  // Tokens are nowhere but in the page's memory.
  assert.ok(tokens.length >= 3, `${tokens.length} tokens`);
  const leaks = requested.filter((url) => tokens.some((token) => url.includes(token)));
  assert.deepEqual(leaks, []);
  const kept = await page.evaluate(async () => ({ ...localStorage, ...sessionStorage, cookie: document.cookie, databases: await indexedDB.databases() }));
  assert.deepEqual(kept, { cookie: '', databases: [] });

  await obeysItsPolicy(page);
  complaints.length = 0;

  await Promise.all([page.waitForEvent('load'), press(page, 'Sign out')]);
  await page.getByText('Sign in to place orders').waitFor();
  assert.equal(page.url(), settings.url);
  await eventually('the page has forgotten the orders', async () => (await page.locator('#list li').count()) === 0);
  assertNothingElse(complaints);
});

/** The browser enforces the policy in the answer's headers. */
async function obeysItsPolicy(page) {
  const headers = await page.evaluate(async () => Object.fromEntries((await fetch('index.html', { cache: 'no-store' })).headers));
  assert.match(headers['content-security-policy'], /^default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(headers['content-security-policy'], /unsafe/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
  assert.match(headers['strict-transport-security'], /max-age=63072000/);
  assert.equal(headers['cache-control'], 'no-cache');

  const elsewhere = new URL(settings.apiUrl);
  // Another name of this machine: it would answer.
  elsewhere.hostname = '127.0.0.1';
  const refused = await page.evaluate(async (url) => {
    const directive = await new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
      fetch(url, { mode: 'no-cors' }).then(() => resolve('none: it was reached'), () => undefined);
    });
    // Trusted Types refuse the address of a script.
    let isRefused = false;
    try {
      document.createElement('script').src = 'data:text/javascript,';
    } catch {
      isRefused = true;
    }
    return { directive, isRefused };
  }, elsewhere.href);
  assert.deepEqual(refused, { directive: 'connect-src', isRefused: true });
}
