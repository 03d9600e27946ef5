// @ts-check
// The page after sign-in: passes the issuer's answer to the page that asked, and closes this window.

import { CHANNEL } from './sign-in.js';

const answer = new URLSearchParams(location.search);
// The code is useless without the page's verifier, but need not stay in the history.
history.replaceState(null, '', location.pathname);
const channel = new BroadcastChannel(CHANNEL);
channel.postMessage({
  state: answer.get('state'),
  code: answer.get('code') ?? undefined,
  error: answer.get('error') ?? undefined,
  description: answer.get('error_description') ?? undefined,
});
channel.close();
window.close();
