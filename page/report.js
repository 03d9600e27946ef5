// @ts-check
// The report of `twolane compare`, as a table. The report's own page (`twolane report --html`) has its charts.

/** Supported version of reports. Source: crates/twolane-report. */
const VERSION = 2;

/** A report has some hundred KB. */
const MOST_BYTES = 50 * 1024 * 1024;

/**
 * @param {File} file
 * @param {HTMLElement} place
 * @returns {Promise<string>} what to say of it
 */
export async function show(file, place) {
  place.hidden = true;
  if (file.size > MOST_BYTES) return `${file.name} is too large for a report.`;
  let report;
  try {
    report = JSON.parse(await file.text());
  } catch {
    return `${file.name} is not JSON. Choose the report.json that twolane compare wrote.`;
  }
  if (report?.schemaVersion !== VERSION || !Array.isArray(report.lanes)) {
    return `${file.name} is not a report of version ${VERSION}. twolane report --json ${file.name} makes one of an older report.`;
  }
  place.replaceChildren(table(report), verdict(report));
  place.hidden = false;
  const where = report.run?.target?.kind === 'emulator' ? ' It was measured on an emulator: its times say nothing about AWS.' : '';
  return `${file.name}: scenario ${report.run?.scenario ?? 'steady'}, ${report.run?.startedAt ?? ''}.${where}`;
}

/** @param {any} report */
function table(report) {
  const table = document.createElement('table');
  table.createCaption().textContent = 'Orders, times in milliseconds, and list prices of a million orders';
  const head = table.createTHead().insertRow();
  const counted = ['Sent', 'Accepted', 'Refused', 'Confirmed', 'Rejected', 'Failed', 'Lost'];
  const names = ['Lane', ...counted, 'Answer p50', 'p99', 'Outcome p50', 'p99', 'Cost'];
  for (const name of names) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const { lane, counts, latencies, cost } of report.lanes) {
    const row = body.insertRow();
    row.dataset.lane = lane;
    const name = document.createElement('th');
    name.scope = 'row';
    name.className = 'lane';
    name.textContent = lane;
    row.append(name);
    const refused = Object.values(counts.refused ?? {}).reduce((sum, count) => sum + Number(count), 0);
    const outcome = latencies.doneByCallback ?? latencies.doneByPoll ?? latencies.acknowledge;
    const values = [
      ...[counts.sent, counts.accepted, refused, counts.confirmed, counts.rejected, counts.failed, counts.lost].map(count),
      ...[latencies.acknowledge?.p50Ms, latencies.acknowledge?.p99Ms, outcome?.p50Ms, outcome?.p99Ms].map(milliseconds),
      cost ? `$${cost.usdPerMillionOrders.toFixed(2)}` : '–',
    ];
    for (const value of values) row.insertCell().textContent = value;
  }
  return table;
}

/** @param {any} report */
function verdict(report) {
  const list = document.createElement('ul');
  for (const sentence of Array.isArray(report.verdict) ? report.verdict : []) {
    const item = document.createElement('li');
    item.textContent = String(sentence);
    list.append(item);
  }
  return list;
}

/** @param {number | null | undefined} value */
function count(value) {
  return value === null || value === undefined ? '–' : value.toLocaleString();
}

/** @param {number | null | undefined} value */
function milliseconds(value) {
  return value === null || value === undefined ? '–' : value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 });
}
