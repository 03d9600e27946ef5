// @ts-check
// The page: wires the client to what is shown. Nothing is stored, and the token is in memory alone.

import { FIGURES, LaneFigures } from './figures.js';
import { BAD_ORDER, GOOD_ORDER, LANES, totalOf } from './lanes.js';
import { MyOrders } from './my-orders.js';
import { show } from './report.js';
import { SignIn } from './sign-in.js';
import { Timeline } from './timeline.js';
import { FINAL, TwolaneClient } from './twolane-client.js';

/** Faster changes of the table cannot be read. */
const FIGURES_EVERY_MS = 250;

/** Orders of each lane sent in one go. */
const TOGETHER = 10;

/** Pauses before an order without an answer is sent again, under the same id. */
const REPEAT_AFTER_MS = [1000, 2000, 4000];

/** Between two looks at the list of orders, without a WebSocket. */
const LOOK_EVERY_MS = 5000;

/** Between two looks at the queues, while there is something to see. */
const QUEUES_EVERY_MS = 1000;

/** Orders without an outcome that the page follows. With more, it stops following the oldest. */
const MOST_RUNS = 20_000;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));

const figures = new Map(LANES.map(({ name }) => [name, new LaneFigures()]));
/** Orders of this page without an outcome. @type {Map<string, import('./timeline.js').Run>} */
const runs = new Map();

/** @param {string} lane */
const of = (lane) => /** @type {LaneFigures} */ (figures.get(lane));

const timeline = new Timeline(element('timeline'), (lane) => of(lane).waiting);

main().catch((error) => {
  element('connection').textContent = `The page cannot start: ${error.message}`;
});

async function main() {
  drawLanes();
  acceptReports();
  const settings = await json('config.json', 'GET');
  element('emulator').hidden = new URL(settings.apiUrl).protocol === 'https:';
  watchQueues(settings.hasQueueDepths ?? false);
  // `twolane page` makes tokens for its user; elsewhere the user signs in.
  const token = settings.signIn ? await signedIn(new SignIn(settings.signIn)) : () => json('token', 'POST');
  const client = new TwolaneClient({
    apiUrl: settings.apiUrl,
    webSocketUrl: settings.webSocketUrl,
    token,
  });
  const orders = new MyOrders(client, { list: element('list'), more: element('more'), said: element('listing') });
  client.addEventListener('order', (event) => learn(/** @type {CustomEvent} */ (event).detail));
  client.addEventListener('connection', (event) => showConnection(/** @type {CustomEvent} */ (event).detail));
  element('controls').addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (button) place(client, orders, Number(button.dataset.orders), 'bad' in button.dataset);
  });
  if (settings.webSocketUrl) client.start();
  else look(client);
  await orders.load();
}

/**
 * `twolane page` reads the queues by the operator's credentials; a browser has none. Ends when they cannot be read.
 *
 * @param {boolean} hasQueueDepths
 */
async function watchQueues(hasQueueDepths) {
  const row = FIGURES.findIndex(({ name }) => name === 'queue-depth');
  /** @type {HTMLTableElement} */ (element('figures')).tBodies[0].rows[row].hidden = !hasQueueDepths;
  for (let depths = hasQueueDepths && {}; depths; await pause(QUEUES_EVERY_MS)) {
    if (runs.size === 0 && Object.values(depths).every((depth) => depth === 0)) continue;
    depths = await json('queue-depths', 'GET').catch(() => undefined);
    for (const [name, lane] of figures) lane.queueDepth = depths?.[name];
    figuresChanged();
  }
}

/** Asks for outcomes now and then. @param {TwolaneClient} client */
function look(client) {
  element('connection').textContent = 'This stack has no WebSocket API: the page looks for outcomes every five seconds.';
  setInterval(() => runs.size > 0 && client.catchUp().catch(() => {}), LOOK_EVERY_MS);
}

/**
 * Waits until the user has signed in by the button. When they must sign in again, the page starts anew: it may be
 * another user.
 *
 * @param {SignIn} signIn
 * @returns {Promise<() => Promise<import('./twolane-client.js').AccessToken>>} gets a new token
 */
async function signedIn(signIn) {
  const [button, end] = [element('sign-in'), element('sign-out')];
  const offer = (/** @type {boolean} */ isOffered) => {
    button.hidden = !isOffered;
    end.hidden = isOffered;
  };
  // This clears all that the page knows of the user.
  end.addEventListener('click', () => signIn.close().finally(() => location.reload()));
  element('controls').inert = true;
  element('connection').textContent = 'Sign in to place orders.';
  offer(true);
  await new Promise((/** @type {(signedIn: void) => void} */ resolve) => {
    button.addEventListener('click', async function attempt() {
      try {
        await signIn.open();
        offer(false);
        button.removeEventListener('click', attempt);
        resolve();
      } catch (error) {
        element('connection').textContent = `You are not signed in: ${/** @type {Error} */ (error).message}.`;
      }
    });
  });
  element('controls').inert = false;
  button.addEventListener('click', () => location.reload());
  return async () => {
    try {
      return await signIn.token();
    } catch (error) {
      offer(!signIn.canRenew);
      throw error;
    }
  };
}

/**
 * @param {string} path
 * @param {'GET' | 'POST'} method
 */
async function json(path, method) {
  const response = await fetch(path, { method, cache: 'no-store' });
  if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
  return response.json();
}

function drawLanes() {
  const table = /** @type {HTMLTableElement} */ (element('figures'));
  for (const { title } of FIGURES) table.tBodies[0].insertRow().append(heading('row', title));
  for (const { name, title, summary } of LANES) {
    const [label, box] = [document.createElement('label'), document.createElement('input')];
    Object.assign(box, { type: 'checkbox', name: 'lane', value: name, checked: true });
    label.dataset.lane = name;
    label.append(box, span('lane', title), span('summary', summary));
    element('lanes').append(label);
    const column = heading('col', title);
    column.className = 'lane';
    column.dataset.lane = name;
    table.tHead?.rows[0].append(column);
    FIGURES.forEach((figure, index) => {
      const cell = table.tBodies[0].rows[index].insertCell();
      Object.assign(cell.dataset, { lane: name, figure: figure.name });
    });
  }
  drawFigures();
}

/**
 * @param {'row' | 'col'} scope
 * @param {string} text
 */
function heading(scope, text) {
  const cell = document.createElement('th');
  cell.scope = scope;
  cell.textContent = text;
  return cell;
}

/**
 * @param {string} className
 * @param {string} text
 */
function span(className, text) {
  const made = document.createElement('span');
  made.className = className;
  made.textContent = text;
  return made;
}

let isFiguresPlanned = false;

function figuresChanged() {
  if (isFiguresPlanned) return;
  isFiguresPlanned = true;
  setTimeout(() => {
    isFiguresPlanned = false;
    drawFigures();
  }, FIGURES_EVERY_MS);
}

function drawFigures() {
  const { rows } = /** @type {HTMLTableElement} */ (element('figures')).tBodies[0];
  LANES.forEach(({ name }, lane) => {
    of(name).texts().forEach((text, index) => (rows[index].cells[lane + 1].textContent = text));
  });
}

/**
 * Places `count` orders down each chosen lane, without waiting for answers.
 *
 * @param {TwolaneClient} client
 * @param {MyOrders} orders
 * @param {number} count
 * @param {boolean} bad
 */
async function place(client, orders, count, bad) {
  const chosen = [...document.querySelectorAll('input[name=lane]:checked')].map((box) => /** @type {HTMLInputElement} */ (box).value);
  element('said').textContent = chosen.length === 0 ? 'Choose a lane first.' : `${count} down ${chosen.join(', ')} …`;
  const all = [];
  for (let index = 0; index < count; index += 1) {
    // The page answers clicks and keys meanwhile.
    if (index % TOGETHER === 0) await pause(0);
    all.push(...chosen.map((lane) => placeOne(client, orders, lane, bad)));
  }
  const said = (await Promise.all(all)).filter((text) => text !== undefined);
  if (chosen.length === 0) return;
  const refused = said.length === 0 ? '' : `, ${said.length} not. ${said[0]}`;
  element('said').textContent = `${all.length - said.length} of ${all.length} accepted${refused}`;
}

/**
 * @param {TwolaneClient} client
 * @param {MyOrders} orders
 * @param {string} lane
 * @param {boolean} bad
 * @returns {Promise<string | undefined>} why it was not accepted
 */
async function placeOne(client, orders, lane, bad) {
  const [orderId, sentAt, order] = [crypto.randomUUID(), performance.now(), bad ? BAD_ORDER : GOOD_ORDER];
  /** @type {import('./timeline.js').Run} */
  const run = { lane, sentAt };
  const lanes = of(lane);
  lanes.sent += 1;
  runs.set(orderId, run);
  if (runs.size > MOST_RUNS) giveUpOldest();
  timeline.add(run);
  figuresChanged();
  try {
    const { status, body } = await untilAnswered(() => client.place(lane, order, orderId));
    run.answeredAt = performance.now();
    if (status >= 300) {
      refuse(orderId, run);
      return `${lane}: ${status} ${body?.detail ?? ''}`;
    }
    lanes.accepted += 1;
    lanes.answers.add(run.answeredAt - sentAt);
    // The outcome may have come before its receipt.
    if (!run.end) lanes.waiting += 1;
    // A receipt has the status and id of the message.
    const stored = body?.orderId ? body : { status: run.status ?? 'PENDING', reason: run.reason };
    orders.placed({ orderId, lane, placedAt: new Date().toISOString(), totalMinor: totalOf(order), ...order, ...stored });
    return undefined;
  } catch (error) {
    refuse(orderId, run);
    return `${lane}: no answer (${/** @type {Error} */ (error).message})`;
  } finally {
    timeline.changed();
    figuresChanged();
  }
}

/**
 * Repeats a request without an answer, because it may have been accepted.
 *
 * @template T
 * @param {() => Promise<T>} send
 * @returns {Promise<T>}
 */
async function untilAnswered(send) {
  for (const ms of REPEAT_AFTER_MS) {
    try {
      return await send();
    } catch {
      await pause(ms);
    }
  }
  return send();
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function giveUpOldest() {
  const [[orderId, run]] = runs;
  runs.delete(orderId);
  run.endedAt = performance.now();
  if (run.answeredAt) of(run.lane).waiting -= 1;
}

/** @param {string} orderId @param {import('./timeline.js').Run} run */
function refuse(orderId, run) {
  run.endedAt = performance.now();
  run.end = 'refused';
  runs.delete(orderId);
  of(run.lane).refused += 1;
}

/** @param {import('./twolane-client.js').Update} update */
function learn({ orderId, status, reason }) {
  const run = runs.get(orderId);
  if (!run || !FINAL.includes(status)) return;
  runs.delete(orderId);
  const lanes = of(run.lane);
  run.endedAt = performance.now();
  Object.assign(run, { end: status === 'CONFIRMED' ? 'confirmed' : 'bad', status, reason });
  if (run.answeredAt) lanes.waiting -= 1;
  lanes.outcomes.add(run.endedAt - run.sentAt);
  if (status === 'CONFIRMED') lanes.confirmed += 1;
  else if (status === 'CANCELLED') lanes.cancelled += 1;
  else lanes.rejected += 1;
  timeline.changed();
  figuresChanged();
}

/** @param {{ state: string, retryInMs?: number }} connection */
function showConnection({ state, retryInMs }) {
  const texts = { open: 'Connected: outcomes arrive by themselves.', connecting: 'Connecting …', closed: 'Not connected.' };
  const again = retryInMs === undefined ? '' : ` Again in ${(retryInMs / 1000).toFixed(1)} s.`;
  element('connection').textContent = again ? `Not connected.${again}` : texts[/** @type {keyof texts} */ (state)];
}

function acceptReports() {
  const [drop, input] = [element('drop'), /** @type {HTMLInputElement} */ (element('file'))];
  const read = async (/** @type {FileList | undefined | null} */ files) => {
    if (!files?.[0]) return;
    const said = show(files[0], element('shown')).catch(() => `${files[0].name} lacks figures that the page shows.`);
    element('report-said').textContent = await said;
  };
  input.addEventListener('change', () => read(input.files));
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    read(event.dataTransfer?.files);
  });
}
