// Inspects pages in Chromium, in light and dark mode, in the sizes of a phone and of a desktop.
//
// `node look.mjs PLAN` where PLAN is JSON: {"browser": program, "screenshots": folder, "pages": [{"name", "file",
// "charts"}]}. Writes screenshots, and prints one line for each problem. The exit code is 1 if there are problems.

import { chromium } from 'playwright-core';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const SCHEMES = ['light', 'dark'];
const WINDOWS = [
  { width: 360, height: 740 },
  { width: 1280, height: 900 },
];

const plan = JSON.parse(process.argv[2]);
const complaints = [];

// Chromium's sandbox does not run as root; the pages are ours.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: plan.browser, args });
try {
  for (const page of plan.pages) {
    for (const colorScheme of SCHEMES) {
      for (const viewport of WINDOWS) {
        const view = `${page.name}-${colorScheme}-${viewport.width}`;
        const found = await look(page, colorScheme, viewport, join(plan.screenshots, `${view}.png`));
        complaints.push(...found.map((complaint) => `${view}: ${complaint}`));
      }
    }
  }
} finally {
  await browser.close();
}
for (const complaint of complaints) {
  console.log(complaint);
}
process.exitCode = complaints.length > 0 ? 1 : 0;

async function look({ file, charts }, colorScheme, viewport, screenshot) {
  const found = [];
  const context = await browser.newContext({ colorScheme, viewport });
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  page.on('console', (message) => found.push(`the console says: ${message.text()}`));
  page.on('pageerror', (error) => found.push(`an error: ${error}`));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) {
      found.push(`requests ${request.url()}`);
    }
  });
  await page.goto(url);
  await page.screenshot({ path: screenshot, fullPage: true });
  found.push(...(await page.evaluate(inspect, charts)));
  // Unfolded tables must fit as well.
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
  found.push(...(await page.evaluate(inspect, charts)));
  await context.close();
  return [...new Set(found)];
}

/** Runs in the page. */
function inspect(wanted) {
  const found = [];
  const visible = (element) => element.getClientRects().length > 0;
  const box = (element) => element.getBoundingClientRect();
  const named = (element) => `“${element.textContent.trim().slice(0, 40)}”`;

  if (document.documentElement.scrollWidth > window.innerWidth) {
    const wide = [...document.querySelectorAll('main *')].filter(
      (element) => box(element).right > window.innerWidth + 1 && !element.closest('.scroll'),
    );
    found.push(`is ${document.documentElement.scrollWidth} wide in a window of ${window.innerWidth}: ${wide.slice(0, 3).map(named)}`);
  }

  const charts = [...document.querySelectorAll('svg[role=img]')].filter(visible);
  if (charts.length !== wanted) {
    found.push(`has ${charts.length} charts, not ${wanted}`);
  }
  for (const chart of charts) {
    const title = chart.querySelector(':scope > title')?.textContent;
    const description = chart.querySelector(':scope > desc')?.textContent;
    if (!title || !description) {
      found.push(`a chart has no title or description: ${title}`);
    }
    const { width, height } = box(chart);
    if (width < 200 || height < 30) {
      found.push(`${title} is ${width} × ${height}`);
    }
    const marks = [...chart.querySelectorAll('.mark, .bar')].filter((mark) => box(mark).width > 0);
    if (marks.length === 0) {
      found.push(`${title} has no marks`);
    }
    found.push(...labels(chart, title));
  }
  found.push(...contrasts());
  return found;

  /** Inside their chart, without overlap. */
  function labels(chart, title) {
    const bad = [];
    const texts = [...chart.querySelectorAll('text')];
    const whole = box(chart);
    texts.forEach((text, index) => {
      const place = box(text);
      if (place.left < whole.left - 1 || place.right > whole.right + 1 || place.top < whole.top - 1 || place.bottom > whole.bottom + 1) {
        bad.push(`${title}: ${named(text)} is cut off`);
      }
      for (const other of texts.slice(index + 1)) {
        const there = box(other);
        const across = Math.min(place.right, there.right) - Math.max(place.left, there.left);
        const down = Math.min(place.bottom, there.bottom) - Math.max(place.top, there.top);
        // Letters are lower than their box.
        if (across > 1 && down > 4) {
          bad.push(`${title}: ${named(text)} is over ${named(other)}`);
        }
      }
    });
    return bad;
  }

  /** WCAG 2.2, 1.4.3 (AA): 4.5 : 1 for every text. */
  function contrasts() {
    const bad = [];
    const texts = [...document.querySelectorAll('body *')].filter(
      (element) =>
        visible(element) &&
        !['TITLE', 'DESC', 'STYLE'].includes(element.tagName.toUpperCase()) &&
        [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()),
    );
    for (const text of texts) {
      const inSvg = text instanceof SVGElement;
      const front = colour(getComputedStyle(text)[inSvg ? 'fill' : 'color']);
      const ratio = contrast(front, behind(text, inSvg));
      if (!(ratio >= 4.5)) {
        bad.push(`${named(text)} has a contrast of ${ratio.toFixed(2)}`);
      }
    }
    return bad;
  }

  /** Colour behind a text: its bar's, or else the nearest opaque element's. */
  function behind(text, inSvg) {
    if (inSvg) {
      const { left, right, top, bottom } = box(text);
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      const bar = [...text.ownerSVGElement.querySelectorAll('.bar')].find((bar) => {
        const place = box(bar);
        return place.left <= x && x <= place.right && place.top <= y && y <= place.bottom;
      });
      if (bar) {
        return colour(getComputedStyle(bar).fill);
      }
    }
    for (let element = text; element; element = element.parentElement) {
      const found = colour(getComputedStyle(element).backgroundColor);
      if (found.alpha === 1) {
        return found;
      }
    }
    return colour('rgb(255, 255, 255)');
  }

  function colour(text) {
    const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
    return { red, green, blue, alpha };
  }

  function contrast(one, other) {
    const [bright, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (bright + 0.05) / (dark + 0.05);
  }

  function luminance({ red, green, blue }) {
    const linear = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  }
}
