/** What axe-core (https://github.com/dequelabs/axe-core) finds wrong with a page as it is shown now: rules of WCAG 2.2 A and AA, and its best practices. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

/** Evaluated through the debugger, so the policy of the page (CSP) does not concern it. */
const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What comes and goes is waited for: half faded in, colours have no contrast. Frames are left out: what is in a mail is the sender's. */
const run = `(async () => {
  await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined)));
  const { violations } = await axe.run(document, {
    iframes: false, resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' at ' + target.join(' ') + ': ' + failureSummary.replace(/\\s+/g, ' ')));
})()`;

/** Each fault in a line: the rule, the element, what to do. Wait for what the page is to show before you ask. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(`${source};0`);
  return page.evaluate<string[]>(run);
}

/** The same in light and in dark; each line says so, and of what. @param what names what is shown */
export async function faultsInBothThemes(page: Page, what: string): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    faults.push(...(await accessibilityFaults(page)).map((fault) => `${what}, ${colorScheme}: ${fault}`));
  }
  await page.emulateMedia({ colorScheme: null });
  return faults;
}
