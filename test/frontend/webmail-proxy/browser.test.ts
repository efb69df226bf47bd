/** WebMail in a real browser, through both front-ends, over real storages. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultsInBothThemes } from '../../harness/axe.ts';
import { openChromium } from '../../harness/chromium.ts';
import type { TestBrowser } from '../../harness/chromium.ts';
import { plainMail } from '../../harness/hostile-mail.ts';
import { startTracker } from '../../harness/tracker.ts';
import type { Tracker } from '../../harness/tracker.ts';
import { password, startWebmailCluster } from '../../harness/webmail-cluster.ts';
import type { WebmailCluster } from '../../harness/webmail-cluster.ts';
import { webmailSteps } from '../../harness/webmail-flow.ts';

let cluster: WebmailCluster;
let browser: TestBrowser;
let tracker: Tracker;

before(async () => {
  [cluster, browser, tracker] = await Promise.all([startWebmailCluster(), openChromium(), startTracker()]);
});

after(async () => {
  await browser.close();
  await Promise.all([cluster.stop(), tracker.stop()]);
});

test('a user reads, writes, replies and signs out in Chromium', { timeout: 60_000 }, async (t) => {
  const steps = webmailSteps({
    context: browser.context, urls: cluster.urls, tracker, run: 'one',
    reader: { address: 'alice@example.com', password }, correspondent: { address: 'bob@example.com', password },
    deliver: cluster.deliver,
  });
  for (const step of steps) await t.test(step.title, step.run);
  await t.test('no view has a fault that axe knows, in light or in dark', async () => {
    await cluster.deliver('alice@example.com', plainMail({ from: 'Ann Sender <ann@example.net>', to: 'alice@example.com', subject: 'Seen by axe', text: 'See https://example.org/x?y=1.' }));
    const page = await browser.context.newPage();
    const faults: string[] = [];
    const look = async (what: string): Promise<void> => { faults.push(...(await faultsInBothThemes(page, what))); };
    await page.goto(cluster.urls[0]);
    await page.getByRole('link', { name: 'Seen by axe' }).waitFor();
    await look('the list');
    await page.getByRole('link', { name: 'Seen by axe' }).click();
    await page.getByRole('heading', { name: 'Seen by axe' }).waitFor();
    await look('a message');
    await page.getByRole('button', { name: 'Reply', exact: true }).click();
    await page.getByRole('dialog', { name: 'Reply' }).waitFor();
    await look('a reply');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('dialog', { name: 'Settings' }).waitFor();
    await look('the settings');
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 390, height: 844 });
    await look('a message on a phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await look('the sign-in');
    assert.deepEqual(faults, []);
  });
});
