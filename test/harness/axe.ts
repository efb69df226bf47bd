/** Looks at a page as it stands for faults of accessibility, by axe-core: the rules of WCAG 2.2 AA and what it calls best practice. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

let source: string | undefined;

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

/** One line for each rule that is broken: which, at how many places, the first of them and what is wrong there. Empty when all is well. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  source ??= readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  // By the debugger, which the page's policy of contents doesn't hold back. A page that is loaded anew has lost it.
  if (!await page.evaluate<boolean>('"axe" in window')) await page.evaluate(source);
  const violations = await page.evaluate<readonly Violation[]>('axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)');
  return violations.map(({ id, help, nodes }) => {
    const [first] = nodes;
    return `${id} (${help}), ${String(nodes.length)} times, first at ${first?.target.join(' ') ?? ''}: ${first?.failureSummary?.replaceAll(/\s+/g, ' ') ?? ''}`;
  });
}
