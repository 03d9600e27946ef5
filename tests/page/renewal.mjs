// Tokens expire while the page is open. SETTINGS also has "twolane": the program, and "subject": the user.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { LANES, areConfirmed, assertNothingElse, connected, eventually, open, press, settings, withContext } from './browser.mjs';

/** The client replaces a token a minute before it expires, and a socket 30 s after it opened at the earliest. */
const SHORT_SECONDS = 75;

/** How long after its end the stack still takes a token. Source: crates/access-tokens, `CLOCK_SKEW`. */
const SKEW_SECONDS = 30;

await withContext({}, async (context) => {
  /** When the short token expires, in milliseconds since 1970. */
  let end = 0;
  const tokens = [
    // Its signature is not the issuer's, as after a change of keys.
    () => ({ token: tokenOf(3600).replace(/[^.]+$/, 'A'.repeat(86)), expiresAt: Date.now() + 3_600_000 }),
    () => {
      end = Date.now() + SHORT_SECONDS * 1000;
      return { token: tokenOf(SHORT_SECONDS), expiresAt: end };
    },
    () => ({ token: tokenOf(3600), expiresAt: Date.now() + 3_600_000 }),
  ];
  let given = 0;
  await context.route('**/token', (route) => route.fulfill({ json: tokens[Math.min(given++, tokens.length - 1)]() }));
  const sockets = [];
  const prepare = async (page) => page.on('websocket', (socket) => sockets.push(socket));
  const { page, complaints } = await open(context, { prepare });

  // The stack refuses the first token, so the page asks for another.
  await connected(page);
  await page.getByText('You have no orders yet').waitFor();
  assert.equal(given, 2);
  assertNothingElse(complaints, /status of 40[13]|WebSocket connection/);
  complaints.length = 0;

  // The second one is replaced before it expires, and so is its socket.
  const first = sockets.at(-1);
  const second = await eventually('another socket is opened', async () => sockets.at(-1) !== first && sockets.at(-1));
  await eventually('the first socket is closed', async () => first.isClosed());
  await eventually('the short token has expired', async () => Date.now() > end + (SKEW_SECONDS + 1) * 1000);
  assert.equal(given, 3);

  await press(page, 'One order');
  for (const lane of LANES) await areConfirmed(page, lane, 1);
  assert.ok(!second.isClosed());
  assertNothingElse(complaints);
});

/** @param {number} seconds */
function tokenOf(seconds) {
  const given = ['token', '--subject', settings.subject, '--ttl', `${seconds}s`];
  return execFileSync(settings.twolane, given, { encoding: 'utf8' }).trim();
}
