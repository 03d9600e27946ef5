// @ts-check
// The lanes, as in crates/lanes, and the orders that the buttons place.

/** @typedef {{ name: string, title: string, summary: string }} Lane */

/** @type {Lane[]} */
export const LANES = [
  { name: 'sync', title: 'Sync', summary: 'API → Lambda → DynamoDB. The answer is the outcome.' },
  { name: 'async', title: 'Async', summary: 'API → SQS → Lambda → DynamoDB. A receipt, then a callback.' },
  { name: 'bus', title: 'Bus', summary: 'API → SNS → SQS → Lambdas. Three services vote, then a callback.' },
];

/** Each lane takes it, if its owner has money and the stock has units. */
export const GOOD_ORDER = { currency: 'EUR', items: [{ sku: 'SKU-1', quantity: 1, unitPriceMinor: 1999 }] };

/** An unknown currency. */
export const BAD_ORDER = { ...GOOD_ORDER, currency: 'ABC' };

/**
 * The order's price, in minor units of its currency.
 *
 * @param {{ items: { quantity: number, unitPriceMinor: number }[] }} order
 */
export function totalOf({ items }) {
  return items.reduce((total, { quantity, unitPriceMinor }) => total + quantity * unitPriceMinor, 0);
}

/** By currency: making a format takes longer than using it. @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * In the browser's language, with its currency.
 *
 * @param {{ currency?: string, totalMinor?: number }} order
 */
export function amount({ currency, totalMinor }) {
  if (!currency || totalMinor === undefined) return '';
  const format = formats.get(currency) ?? new Intl.NumberFormat(undefined, { style: 'currency', currency });
  formats.set(currency, format);
  return format.format(totalMinor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
