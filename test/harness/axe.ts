/** What axe-core (https://github.com/dequelabs/axe-core) finds wrong with a page as it is shown now: rules of WCAG 2.2 A and AA, and its best practices. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

/** Evaluated through the debugger, so the policy of the page (CSP) does not concern it. */
const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** What comes and goes is waited for: half faded in, colours have no contrast. Frames are left out: what is in a mail is the sender's. */
const run = (options: object): string => `(async () => {
  await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined)));
  const { violations } = await axe.run(document, ${JSON.stringify({ iframes: false, resultTypes: ['violations'], ...options })});
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' at ' + target.join(' ') + ': ' + failureSummary.replace(/\\s+/g, ' ')));
})()`;

const allRules = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
/** The only one that colours matter to. */
const contrastRule = { runOnly: { type: 'rule', values: ['color-contrast'] } };

/** Each fault in a line: the rule, the element, what to do. Wait for what the page is to show before you ask. */
export async function accessibilityFaults(page: Page, rules: object = allRules): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(`${source};0`);
  return page.evaluate<string[]>(run(rules));
}

/** The same in light, and the contrasts in dark; each line says so, and of what. @param what names what is shown */
export async function faultsInBothThemes(page: Page, what: string): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [colorScheme, rules] of [['light', allRules], ['dark', contrastRule]] as const) {
    await page.emulateMedia({ colorScheme });
    faults.push(...(await accessibilityFaults(page, rules)).map((fault) => `${what}, ${colorScheme}: ${fault}`));
  }
  await page.emulateMedia({ colorScheme: null });
  return faults;
}
