/**
 * What a user does in WebMail, in a real browser, as steps that build on each other. Runs against any running cluster: it is
 * given addresses, two users and a way to deliver mail from outside.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { hostileMail, plainMail } from './hostile-mail.ts';
import type { Tracker } from './tracker.ts';

export interface FlowUser {
  readonly address: string;
  readonly password: string;
}

export interface WebmailFlow {
  readonly context: BrowserContext;
  /** WebMail at one front-end and at another, such as `https://127.0.0.1:10443`. */
  readonly urls: readonly [string, string];
  readonly reader: FlowUser;
  /** Best on another back-end than the reader. */
  readonly correspondent: FlowUser;
  readonly deliver: (address: string, bytes: Buffer) => Promise<void>;
  readonly tracker: Tracker;
  /** Makes subjects of this run unlike those of others. */
  readonly run: string;
}

export interface FlowStep {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** The steps, in their order; all share one page. */
export function webmailSteps(flow: WebmailFlow): FlowStep[] {
  const walk = new Walk(flow);
  return [
    { title: 'a wrong password is refused in words, the right one signs in', run: async () => walk.signsIn() },
    { title: 'the folders are there with their counts', run: async () => walk.seesFolders() },
    { title: 'a message that comes in shows by itself, and is read', run: async () => walk.readsPlainMail() },
    { title: 'hostile HTML runs nothing and fetches nothing until asked', run: async () => walk.readsHostileMail() },
    { title: 'a message with an attachment is written and sent', run: async () => walk.sendsAttachment() },
    { title: 'the cookie works at the second front-end', run: async () => walk.changesFrontend() },
    { title: 'after sign-out the mail is out of reach', run: async () => walk.signsOut() },
    { title: 'the other user gets the message, its attachment whole, and replies', run: async () => walk.correspondentReplies() },
    { title: 'the reply comes back', run: async () => walk.getsReply() },
    { title: 'keys do what the mouse does', run: async () => walk.usesKeys() },
    { title: 'a message is moved to Trash and deleted for good', run: async () => walk.deletes() },
    { title: 'the page broke none of its own rules', run: async () => walk.brokeNoRule() },
  ];
}

const attached = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256));

class Walk {
  readonly #flow: WebmailFlow;
  #opened: Page | undefined;
  readonly #complaints: string[] = [];
  readonly #dialogs: string[] = [];

  constructor(flow: WebmailFlow) {
    this.#flow = flow;
  }

  async signsIn(): Promise<void> {
    const page = await this.#page();
    const { urls, reader } = this.#flow;
    await page.goto(`${urls[0]}/`);
    await this.#fillSignIn({ ...reader, password: 'certainly wrong' });
    await page.getByRole('alert').filter({ hasText: /wrong/i }).waitFor();
    await this.#fillSignIn(reader);
    await page.getByRole('navigation', { name: 'Folders' }).waitFor();
    await page.getByText(reader.address, { exact: true }).waitFor();
  }

  async seesFolders(): Promise<void> {
    const page = await this.#page();
    for (const name of ['Inbox', 'Drafts', 'Sent', 'Junk', 'Trash']) await page.getByRole('navigation').getByRole('link', { name }).waitFor();
  }

  async readsPlainMail(): Promise<void> {
    const page = await this.#page();
    const { reader, deliver, run } = this.#flow;
    const before = await this.#unread();
    await deliver(reader.address, plainMail({ from: 'Ann Sender <ann@example.net>', to: reader.address, subject: `Plain ${run}`, text: 'Grüße from outside.\r\nSee https://example.org/x?y=1.' }));
    await page.getByRole('link', { name: `Plain ${run}` }).click();
    await this.#text('Grüße from outside.');
    assert.equal(await page.getByRole('link', { name: 'https://example.org/x?y=1', exact: true }).getAttribute('rel'), 'noopener noreferrer');
    await this.#until(async () => (await this.#unread()) === before, 'reading takes it out of the count');
  }

  async readsHostileMail(): Promise<void> {
    const page = await this.#page();
    const { reader, deliver, run, tracker } = this.#flow;
    await deliver(reader.address, hostileMail({ to: reader.address, subject: `Hostile ${run}`, tracker: tracker.url }));
    await page.getByRole('link', { name: `Hostile ${run}` }).click();
    const frame = page.locator('iframe');
    await frame.contentFrame().getByText('Readable words of the sender.').waitFor();
    await page.waitForTimeout(700);
    assert.deepEqual(tracker.paths, [], 'nothing is fetched');
    assert.deepEqual(this.#dialogs, [], 'nothing runs');
    assert.equal(await frame.getAttribute('sandbox'), 'allow-popups allow-popups-to-escape-sandbox', 'neither scripts nor our origin');
    checkFramePage(await this.#framePage(), 'blocked');
    await this.#until(async () => (await this.#framePage()).includes('src="data:image/png;base64,'), 'its own picture is shown');
    await page.getByRole('button', { name: 'Show remote images' }).click();
    await this.#until(async () => Promise.resolve(tracker.paths.includes('/wanted.png')), 'the picture comes when asked for');
    await page.waitForTimeout(500);
    const innocent = ['/wanted.png', '/inline-style.png', '/css-background.png'];
    assert.deepEqual(tracker.paths.filter((path) => !innocent.includes(path)), [], 'only pictures are fetched');
    assert.deepEqual(this.#dialogs, []);
    checkFramePage(await this.#framePage(), 'allowed');
  }

  async sendsAttachment(): Promise<void> {
    const page = await this.#page();
    const { correspondent, run } = this.#flow;
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'New message' });
    await dialog.getByLabel('To', { exact: true }).fill('nonsense');
    await dialog.getByLabel('Subject').fill(`Written ${run} ☃`);
    await dialog.getByLabel('Text').fill('Dear correspondent,\n\nfind the file attached.\n.\nBye');
    await dialog.getByLabel('Attach files').setInputFiles({ name: 'Übersicht 1.bin', mimeType: 'application/x-test', buffer: attached });
    await dialog.getByText('Übersicht 1.bin').waitFor();
    await dialog.getByRole('button', { name: 'Send' }).click();
    await page.getByText('"nonsense" is not a mail address.').waitFor();
    await dialog.getByLabel('To', { exact: true }).fill(`The Other <${correspondent.address}>`);
    await dialog.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Sent.', { exact: true }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Sent' }).click();
    await page.getByRole('link', { name: `Written ${run}` }).waitFor();
  }

  async changesFrontend(): Promise<void> {
    const page = await this.#page();
    await page.goto(`${this.#flow.urls[1]}/`);
    await page.getByRole('link', { name: `Plain ${this.#flow.run}` }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Sign in' }).count(), 0);
  }

  async signsOut(): Promise<void> {
    const page = await this.#page();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.goto(`${this.#flow.urls[0]}/`);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal((await page.request.get(`${this.#flow.urls[0]}/api/mailboxes`)).status(), 401);
  }

  async correspondentReplies(): Promise<void> {
    const page = await this.#page();
    const { correspondent, reader, run } = this.#flow;
    await this.#fillSignIn(correspondent);
    await page.getByRole('link', { name: `Written ${run} ☃` }).click();
    await this.#text('find the file attached.');
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: /Übersicht 1\.bin/ }).click();
    assert.deepEqual(await readFile(await (await download).path()), attached, 'the attachment is whole');
    await page.getByRole('button', { name: 'Reply', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Reply' });
    assert.equal(await dialog.getByLabel('To', { exact: true }).inputValue(), reader.address);
    assert.equal(await dialog.getByLabel('Subject').inputValue(), `Re: Written ${run} ☃`);
    const text = dialog.getByLabel('Text');
    assert.match(await text.inputValue(), /> find the file attached\./);
    await text.fill(`Thanks!\n${await text.inputValue()}`);
    await page.keyboard.press('Control+Enter');
    await page.getByText('Sent.', { exact: true }).waitFor();
    await page.getByRole('img', { name: 'Answered' }).first().waitFor();
  }

  async getsReply(): Promise<void> {
    const page = await this.#page();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await this.#fillSignIn(this.#flow.reader);
    await page.getByRole('link', { name: `Re: Written ${this.#flow.run}` }).click();
    await this.#text('Thanks!');
  }

  async usesKeys(): Promise<void> {
    const page = await this.#page();
    const title = `Re: Written ${this.#flow.run}`;
    const heading = page.getByRole('heading', { name: title });
    await page.keyboard.press('Escape');
    await heading.waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await heading.waitFor();
    await page.keyboard.press('r');
    await page.getByRole('dialog', { name: 'Reply' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await heading.waitFor({ state: 'detached' });
    await page.keyboard.press('k');
    await heading.waitFor();
  }

  async deletes(): Promise<void> {
    const page = await this.#page();
    const title = `Re: Written ${this.#flow.run}`;
    await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Moved to Trash.').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Trash' }).click();
    await page.getByRole('link', { name: title }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('Deleted for good.').waitFor();
    await this.#until(async () => (await page.getByRole('link', { name: title }).count()) === 0, 'it is gone');
  }

  async brokeNoRule(): Promise<void> {
    assert.deepEqual(this.#complaints, []);
    await Promise.resolve();
  }

  async #page(): Promise<Page> {
    if (this.#opened !== undefined) return this.#opened;
    const page = await this.#flow.context.newPage();
    this.#opened = page;
    page.on('pageerror', (error) => this.#complaints.push(error.message));
    page.on('console', (message) => {
      // What Chromium refuses the hostile message is as it should be: handlers, base addresses, things from the tracker.
      const text = message.text();
      const hostile = /inline event handler|base URI/.test(text) || text.includes(this.#flow.tracker.url);
      if (/Security Policy|Trusted/.test(text) && !hostile) this.#complaints.push(text);
    });
    page.on('dialog', (dialog) => {
      this.#dialogs.push(dialog.message());
      dialog.dismiss().catch((error: unknown) => this.#complaints.push(String(error)));
    });
    return page;
  }

  async #fillSignIn({ address, password }: FlowUser): Promise<void> {
    const page = await this.#page();
    await page.getByLabel('Mail address').fill(address);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Waits until the open message holds the words. */
  async #text(words: string): Promise<void> {
    await (await this.#page()).getByRole('region', { name: 'Message', exact: true }).getByText(words).waitFor();
  }

  /** The inbox's count of unread messages. */
  async #unread(): Promise<number> {
    const page = await this.#page();
    const text = await page.getByRole('navigation').getByRole('link', { name: 'Inbox' }).innerText();
    return Number(/\d+/.exec(text)?.[0] ?? 0);
  }

  async #framePage(): Promise<string> {
    return (await (await this.#page()).locator('iframe').evaluate((frame) => (frame as unknown as { srcdoc: string }).srcdoc));
  }

  async #until(holds: () => Promise<boolean>, what: string): Promise<void> {
    const endMs = Date.now() + 60_000;
    while (!(await holds())) {
      assert.ok(Date.now() < endMs, `in time: ${what}`);
      await (await this.#page()).waitForTimeout(50);
    }
  }
}

/** The sanitiser's work, seen apart from what sandbox and policy would prevent anyway. */
function checkFramePage(page: string, remote: 'blocked' | 'allowed'): void {
  assert.match(page, new RegExp(`^<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:${remote === 'allowed' ? ' https: http:' : ''};`));
  const body = page.slice(page.indexOf('<body>'));
  assert.match(body, /Readable words/);
  assert.doesNotMatch(body, /<script|<form|<input|<iframe|<object|<embed|<link|<meta|<base|<svg|<math|<video|<audio|<[^>]*\son\w+\s*=|javascript:|srcset|@import|http-equiv/i);
  if (remote === 'blocked') assert.doesNotMatch(body.replace(/href="https:\/\/example\.org\/page"/, ''), /https?:/);
  assert.match(body, /<a href="https:\/\/example\.org\/page"[^>]*rel="noopener noreferrer nofollow"/);
}
