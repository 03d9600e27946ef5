// Chromium with the page in it, for the other scripts of this folder. Each is run as `node NAME.mjs SETTINGS`.
// SETTINGS is JSON: {"browser": program, "url": the page, "apiUrl": the stack's, "folder": for screenshots and the
// profile}, and what the script names.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { LANES as LISTED } from '../../page/lanes.js';

export const settings = JSON.parse(process.argv[2]);
export const LANES = LISTED.map((lane) => lane.name);
export const DESK = { width: 1280, height: 900 };

/** In milliseconds. A message that fails once is delivered again within a minute, twice within three. */
const DEADLINE = 240_000;

/** Between two looks, in milliseconds. */
const LOOK_EVERY = 200;

// Chromium's sandbox does not run as root; the page is ours.
const launch = { executablePath: settings.browser, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] };

/**
 * Runs `use` with a browser context, and ends the browser. With `profile`, the context keeps its files in that folder.
 *
 * @param {object} options of the context
 * @param {(context: import('playwright-core').BrowserContext) => Promise<void>} use
 */
export async function withContext({ profile = '', ...options }, use) {
  const context = await chromium.launchPersistentContext(profile, { viewport: DESK, ...launch, ...options });
  context.setDefaultTimeout(DEADLINE);
  try {
    await use(context);
  } finally {
    await context.close();
  }
}

/**
 * Opens the page, and collects complaints: errors, console output (with violations of the security policy) and failed
 * requests. So is a request to another origin than the page's and the stack's.
 *
 * @param {import('playwright-core').BrowserContext} context
 * @param {{ url?: string, prepare?: (page: import('playwright-core').Page) => Promise<void> }} [options] what to do before it is loaded
 */
export async function open(context, { url = settings.url, prepare } = {}) {
  const page = await context.newPage();
  const complaints = [];
  const origins = [url, settings.apiUrl].map((known) => new URL(known).origin);
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error}`));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText}`));
  page.on('request', (request) => {
    if (!origins.includes(new URL(request.url()).origin)) complaints.push(`another origin: ${request.url()}`);
  });
  await prepare?.(page);
  await page.goto(url);
  return { page, complaints };
}

/** @param {import('playwright-core').Page} page */
export async function connected(page) {
  await page.getByText('Connected: outcomes arrive').waitFor();
}

/**
 * Fails on complaints that the script did not provoke.
 *
 * @param {string[]} complaints
 * @param {RegExp} [provoked]
 */
export function assertNothingElse(complaints, provoked) {
  assert.deepEqual(complaints.filter((complaint) => !provoked?.test(complaint)), []);
}

export function press(page, name) {
  return page.getByRole('button', { name }).click();
}

/** These and no other. */
export async function choose(page, lanes) {
  for (const lane of LANES) await page.locator(`input[name=lane][value=${lane}]`).setChecked(lanes.includes(lane));
}

export async function isFigure(page, lane, figure, expected) {
  const cell = page.locator(`#figures [data-lane=${lane}][data-figure=${figure}]`);
  await cell.filter({ hasText: new RegExp(`^${expected}$`) }).waitFor().catch(async () => {
    assert.fail(`${lane}: ${figure} is not ${expected}:\n${await page.locator('#figures').innerText()}`);
  });
}

/** Waits until all that the page placed down a lane is confirmed. */
export async function areConfirmed(page, lane, expected) {
  await isFigure(page, lane, 'confirmed', expected);
  await isFigure(page, lane, 'waiting', 0);
}

/**
 * The result of `look` once it has one.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T | undefined | false>} look
 * @returns {Promise<T>}
 */
export async function eventually(what, look) {
  for (const end = Date.now() + DEADLINE; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))) {
    const found = await look();
    if (found) return found;
  }
  assert.fail(`waited ${DEADLINE / 1000} s in vain: ${what}`);
}
