/** WebMail in a real browser, through both front-ends, over real storages. */
import { after, before, test } from 'node:test';
import { openChromium } from '../../harness/chromium.ts';
import type { TestBrowser } from '../../harness/chromium.ts';
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
});
