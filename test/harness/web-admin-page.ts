/** WebAdmin in a browser tab, for tests: signing in, going to a screen, walking by keyboard. What the page complains about is kept. */
import assert from 'node:assert/strict';
import type { BrowserContext, Page } from 'playwright-core';
import type { Cluster, NodeName } from './cluster.ts';

export class WebAdminPage {
  readonly page: Page;
  /** Errors and warnings of the page itself. */
  readonly complaints: string[] = [];
  readonly #cluster: Pick<Cluster, 'port'>;

  private constructor(page: Page, cluster: Pick<Cluster, 'port'>) {
    this.page = page;
    this.#cluster = cluster;
    page.on('console', (message) => {
      // Answers that are refusals are no fault of the page.
      if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async open(context: BrowserContext, cluster: Pick<Cluster, 'port'>): Promise<WebAdminPage> {
    return new WebAdminPage(await context.newPage(), cluster);
  }

  urlOf(node: NodeName, place = ''): string {
    return `https://127.0.0.1:${String(this.#cluster.port(node, 'admin'))}/${place === '' ? '' : `#/${place}`}`;
  }

  async goTo(node: NodeName, place = ''): Promise<void> {
    await this.page.goto(this.urlOf(node, place));
  }

  /** Fills in the form that is shown. */
  async signIn(name: string, password: string): Promise<void> {
    await this.page.getByLabel('Name').fill(name);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Waits for the screen of this title. */
  async heading(text: string): Promise<void> {
    await this.page.getByRole('heading', { name: text, level: 1, exact: true }).waitFor();
  }

  /** The accessible name of what has the focus, as far as tests need it. */
  async focused(): Promise<string> {
    return this.page.evaluate<string>('(({ activeElement: element }) => (element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent).trim())(document)');
  }

  /** Presses Tab until something has the focus. */
  async tabTo(name: string): Promise<void> {
    const seen: string[] = [];
    for (let step = 0; step < 80; step += 1) {
      await this.page.keyboard.press('Tab');
      const now = await this.focused();
      if (now === name) return;
      seen.push(now);
    }
    assert.fail(`${name} can't be reached by Tab; there are: ${seen.join(' | ')}`);
  }
}
