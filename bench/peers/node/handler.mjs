// create-order as a careful team would write it for Node and AWS's SDK. It has the same checks, write, log line and
// responses as the Rust function.

import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import codes from '../currencies.json' with { type: 'json' };

const { ORDERS_TABLE_NAME, ORDER_RETENTION_DAYS } = process.env;
const CURRENCIES = new Set(codes);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_BODY_BYTES = 1023 * 1024;
const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=63072000; includeSubDomains' };

const dynamodb = new DynamoDBClient();

/** An error as an HTTP problem. */
class Problem extends Error {
  constructor(status, detail, { errors, cause } = {}) {
    super(detail, { cause });
    Object.assign(this, { status, errors });
  }
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isInteger = (low, high) => (value) => Number.isInteger(value) && value >= low && value <= high;

const isNote = (note = '') => typeof note === 'string' && [...note].length <= 500 && !/[\uFFFD-\uFFFF]/.test(note);

const ITEM = {
  sku: [(sku) => typeof sku === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(sku), 'must be 1 to 64 of A-Z a-z 0-9 . _ -'],
  quantity: [isInteger(1, 10_000), 'must be an integer from 1 to 10000'],
  unitPriceMinor: [isInteger(0, 1_000_000_000), 'must be an integer from 0 to 1000000000, in minor units'],
};
const ORDER = {
  currency: [(code) => CURRENCIES.has(code), 'must be an ISO 4217 code such as EUR'],
  items: [(items) => Array.isArray(items) && items.length >= 1 && items.length <= 100, 'must hold 1 to 100 items'],
  note: [isNote, 'must be at most 500 characters, without U+FFFD, U+FFFE or U+FFFF'],
};

/** Violations in an object's fields, by JSON pointer. */
function violations(object, rules, at) {
  if (!isObject(object)) return [{ pointer: at, detail: 'must be an object' }];
  const unknown = Object.keys(object).filter((name) => !Object.hasOwn(rules, name));
  const wrong = Object.entries(rules).filter(([name, [holds]]) => !holds(object[name]));
  return [...unknown.map((name) => ({ pointer: `${at}/${name}`, detail: 'is not a known field' })),
    ...wrong.map(([name, [, detail]]) => ({ pointer: `${at}/${name}`, detail }))];
}

/** The content with fields in a fixed order, so that equal contents have equal JSON. */
function parseOrder(text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Problem(400, 'The body must be JSON.');
  }
  const errors = violations(body, ORDER, '');
  const items = Array.isArray(body?.items) ? body.items.slice(0, 100) : [];
  errors.push(...items.flatMap((item, index) => violations(item, ITEM, `/items/${index}`)));
  if (errors.length > 0) throw new Problem(400, 'The order is not valid.', { errors });
  const ordered = items.map(({ sku, quantity, unitPriceMinor }) => ({ sku, quantity, unitPriceMinor }));
  return { currency: body.currency, items: ordered, note: body.note };
}

/** Reads the order from an event of the REST API. */
function parse(event) {
  const id = event.pathParameters?.orderId?.toLowerCase() ?? '';
  if (!UUID.test(id)) throw new Problem(400, 'The order id must be a UUID.');
  const owner = event.requestContext.authorizer?.owner;
  if (!owner) throw new Error('The authorizer does not name the owner');
  const type = Object.entries(event.headers ?? {}).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  if (!/^\s*(application\/json\s*)?(;|$)/i.test(type)) throw new Problem(415, 'Send the order as application/json.');
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) throw new Problem(413, `The maximum is ${MAX_BODY_BYTES} bytes.`);
  const content = parseOrder(bytes.toString('utf8'));
  const totalMinor = content.items.reduce((sum, item) => sum + item.quantity * item.unitPriceMinor, 0);
  const placed = event.requestContext.requestTimeEpoch;
  const expiresAt = ORDER_RETENTION_DAYS > 0 ? Math.floor(placed / 1000) + ORDER_RETENTION_DAYS * 86_400 : undefined;
  const requestHash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return { pk: `${owner}#${id}`, orderId: id, owner, status: 'CONFIRMED', lane: 'sync', ...content, totalMinor,
    placedAt: new Date(placed).toISOString(), confirmedAt: new Date().toISOString(), attempts: 1, requestHash,
    expiresAt };
}

/** Stores the order with one write. Returns the order stored under its id before, if any. */
async function store(order) {
  try {
    await dynamodb.send(new PutItemCommand({
      TableName: ORDERS_TABLE_NAME,
      Item: marshall(order, { removeUndefinedValues: true }),
      ConditionExpression: 'attribute_not_exists(pk) OR (#status = :failed AND requestHash = :hash)',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':failed': { S: 'FAILED' }, ':hash': { S: order.requestHash } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }));
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException && error.Item) return unmarshall(error.Item);
    const status = error.$metadata?.httpStatusCode ?? 503;
    if (status < 500 && !/Throttl|ThroughputExceeded|LimitExceeded/.test(error.name)) throw error;
    throw new Problem(503, 'The database cannot serve the request right now. It is safe to repeat.', { cause: error });
  }
}

function answer(status, mediaType, body, headers) {
  const all = { 'content-type': mediaType, ...SECURITY_HEADERS, ...headers };
  return { statusCode: status, headers: all, body: JSON.stringify(body), isBase64Encoded: false };
}

/** Answers one request. Errors become problem responses. */
export async function handle(event, requestId) {
  const log = (level, message, fields) =>
    console.log(JSON.stringify({ timestamp: new Date().toISOString(), level, message, requestId, ...fields }));
  try {
    const order = parse(event);
    const before = await store(order);
    if (before?.status === 'REJECTED') throw new Problem(409, `The order was rejected before: ${before.reason}.`);
    if (before && before.requestHash !== order.requestHash) throw new Problem(409, 'The id has a different order.');
    const { pk, owner, requestHash, expiresAt, ...view } = before ?? order;
    const { orderId } = view;
    log('INFO', before ? `Order ${orderId} was stored before` : `Confirmed order ${orderId}`, { 'order.id': orderId });
    if (before) return answer(200, 'application/json', view);
    return answer(201, 'application/json', view, { location: `../../orders/${orderId}` });
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem(500, 'The service failed. It is safe to repeat.');
    const { status, message: detail, errors } = problem;
    log(status === 500 ? 'ERROR' : 'INFO', 'Did not place an order', { status, cause: (error.cause ?? error).message });
    const about = { type: 'about:blank', title: STATUS_CODES[status], requestId: event.requestContext.requestId };
    const body = { ...about, status, detail, errors };
    return answer(status, 'application/problem+json', body, status === 503 ? { 'retry-after': '1' } : {});
  }
}
