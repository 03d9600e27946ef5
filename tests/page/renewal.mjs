// Tokens expire while the page is open. SETTINGS also has "twolane": the program, and "subject": the user.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { LANES, areConfirmed, assertNothingElse, connected, eventually, open, press, settings, withContext } from './browser.mjs';

/** The client replaces a token a minute before it expires. Until then, a slow machine has time to connect. */
const SHORT_SECONDS = 100;

await withContext({}, async (context) => {
  const make = [
    // A wrong signature, as after a change of keys.
    () => ({ ...tokenOf(3600), token: tokenOf(3600).token.replace(/[^.]+$/, 'A'.repeat(86)) }),
    () => tokenOf(SHORT_SECONDS),
    () => tokenOf(3600),
  ];
  const given = [];
  await context.route('**/token', (route) => {
    given.push(make[Math.min(given.length, make.length - 1)]());
    return route.fulfill({ json: given.at(-1) });
  });
  const sockets = [];
  const prepare = async (page) => page.on('websocket', (socket) => sockets.push(socket));
  const { page, complaints } = await open(context, { prepare });

  // The stack refuses the first token, so the page asks for another.
  await connected(page);
  await page.getByText('You have no orders yet').waitFor();
  assert.equal(given.length, 2);
  assertNothingElse(complaints, /status of 40[13]|WebSocket connection/);
  complaints.length = 0;

  // Replaced before it expires, and so is its socket.
  const first = sockets.at(-1);
  const second = await eventually('another socket is opened', async () => sockets.at(-1) !== first && sockets.at(-1));
  await eventually('the first socket is closed', async () => first.isClosed());
  assert.equal(given.length, 3);

  const placed = page.waitForRequest((request) => request.method() === 'PUT');
  await press(page, 'One order');
  assert.equal((await (await placed).allHeaders()).authorization, `Bearer ${given[2].token}`);
  for (const lane of LANES) await areConfirmed(page, lane, 1);
  assert.ok(!second.isClosed());
  assertNothingElse(complaints);
});

/** As the page is given it. @param {number} seconds how long it lasts */
function tokenOf(seconds) {
  const expiresAt = Date.now() + seconds * 1000;
  const options = ['--subject', settings.subject, '--ttl', `${seconds}s`];
  return { token: execFileSync(settings.twolane, ['token', ...options], { encoding: 'utf8' }).trim(), expiresAt };
}
