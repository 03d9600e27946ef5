// A minimal replacement for the loop of Lambda's managed Node runtime.

import { Agent, request } from 'node:http';
import { handle } from './handler.mjs';

const INVOCATIONS = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const agent = new Agent({ keepAlive: true });

/** Sends a request to the Lambda Runtime API. */
function runtime(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request(`${INVOCATIONS}/${path}`, { method, agent }, async (response) => {
      try {
        const chunks = await response.toArray();
        resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() });
      } catch (error) {
        reject(error);
      }
    });
    sent.on('error', reject).end(body);
  });
}

for (;;) {
  const { headers, body } = await runtime('GET', 'next');
  const requestId = headers['lambda-runtime-aws-request-id'];
  await runtime('POST', `${requestId}/response`, JSON.stringify(await handle(JSON.parse(body), requestId)));
}
