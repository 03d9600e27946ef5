// @ts-check
// Where the issuer leads after sign-in: passes its answer to the page that asked, and closes this window.

import { CHANNEL } from './sign-in.js';

const answer = new URLSearchParams(location.search);
// The code is of no use without the verifier, which the page has. It need not stay in the history, all the same.
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
