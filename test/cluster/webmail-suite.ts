/** WebMail in a real browser: the whole walk begins at one front-end and goes on at the other with the same cookie. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { openChromium } from '../harness/chromium.ts';
import type { TestBrowser } from '../harness/chromium.ts';
import { addPerson } from '../harness/demo-people.ts';
import { deliver } from '../harness/smtp-session.ts';
import { startTracker } from '../harness/tracker.ts';
import type { Tracker } from '../harness/tracker.ts';
import { webmailSteps } from '../harness/webmail-flow.ts';

export function webmailSuite(cluster: () => Cluster): void {
  describe('WebMail at fe1, then at fe2', () => {
    let browser: TestBrowser;
    let tracker: Tracker;
    before(async () => {
      [browser, tracker] = await Promise.all([openChromium(), startTracker()]);
    });
    after(async () => {
      await Promise.all([browser.close(), tracker.stop()]);
    });

    test('a user of be1 reads, writes to one of be2, gets the reply and signs out', { timeout: 60_000 }, async (t) => {
      const url = (node: NodeName): string => `https://127.0.0.1:${String(cluster().port(node, 'https'))}`;
      const person = async (node: NodeName): Promise<{ address: string; password: string }> => ({
        address: `${await addPerson(cluster(), node)}@example.com`, password: cluster().password,
      });
      const steps = webmailSteps({
        context: browser.context, urls: [url('fe1'), url('fe2')], tracker, run: 'cluster',
        reader: await person('be1'), correspondent: await person('be2'),
        deliver: async (address, bytes) => {
          assert.match(await deliver(cluster(), 'fe1', { from: 'sender@example.net', to: [address], bytes }), /^250 /);
        },
      });
      for (const step of steps) await t.test(step.title, step.run);
    });
  });
}
