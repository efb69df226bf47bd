/** A directory that is away, slow or not itself, while logins and deliveries run; what is known ends with its age, and who was removed meanwhile is out. */
import { afterEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { frontendNames } from '../../harness/cluster.ts';
import { outages } from './faults.ts';
import { doomed, negativeSeconds, staleSeconds } from './setting.ts';
import type { Inhabitant } from './setting.ts';
import type { Outcome, Protocol, Result } from '../../harness/attempts.ts';
import type { SteadyLoad } from './steady-load.ts';
import { faultsSuite, refresh, sendMarker } from './suite.ts';

faultsSuite(outages, (current) => {
  afterEach(async () => current().setting.proxy.accept());

  test('who was removed during an outage goes on until its end, and is out then', async () => {
    const { setting, load } = current();
    await sendMarker(setting, doomed);
    for (const node of frontendNames) expect(await load.once({ who: doomed, protocol: 'imap', node }), 'ok');
    await setting.proxy.refuse();
    await setting.remove(doomed);
    for (const protocol of ['imap', 'pop3', 'webmail', 'submission', 'mx'] as const) expect(await load.once({ who: doomed, protocol, node: 'fe1' }), 'ok');
    await setting.proxy.accept();
    for (const node of frontendNames) {
      for (const protocol of ['imap', 'pop3', 'webmail', 'submission', 'mx'] as const) await becomes(load, { who: doomed, protocol, node }, { wanted: 'refused', before: 'ok' });
    }
    await setting.proxy.refuse();
    await sleep(negativeSeconds * 1000 + 100);
    for (const node of frontendNames) {
      expect(await load.once({ who: doomed, protocol: 'imap', node }), 'temporary');
      expect(await load.once({ who: doomed, protocol: 'mx', node }), 'temporary');
    }
    await setting.proxy.accept();
  });

  test(`what is known of a user serves for ${String(staleSeconds)} s without a directory, and no longer`, async () => {
    const { setting, load } = current();
    await load.stop();
    await becomes(load, { who: setting.steady[0] ?? doomed, protocol: 'imap', node: 'fe1' }, { wanted: 'ok' });
    await becomes(load, { who: setting.steady[0] ?? doomed, protocol: 'imap', node: 'fe2' }, { wanted: 'ok' });
    await refresh(setting, load);
    const knownAt = performance.now();
    await setting.proxy.refuse();
    const [who = doomed] = setting.steady;
    await sleep(knownAt + (staleSeconds - 10) * 1000 - performance.now());
    for (const protocol of ['imap', 'mx'] as const) expect(await load.once({ who, protocol, node: 'fe2' }), 'ok');
    await sleep(knownAt + (staleSeconds + 1) * 1000 - performance.now());
    for (const protocol of ['imap', 'pop3', 'webmail', 'submission', 'mx'] as const) expect(await load.once({ who, protocol, node: 'fe2' }), 'temporary');
    await setting.proxy.accept();
    await becomes(load, { who, protocol: 'imap', node: 'fe2' }, { wanted: 'ok' });
  });
});

function expect({ outcome, words }: Result, wanted: Outcome): void {
  assert.equal(outcome, wanted, words);
}

/** Until then it is temporary, or as it was. */
async function becomes(load: SteadyLoad, what: { readonly who: Inhabitant; readonly protocol: Protocol; readonly node: 'fe1' | 'fe2' }, { wanted, before }: { readonly wanted: Outcome; readonly before?: Outcome }): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const { outcome, words } = await load.once(what);
    if (outcome === wanted) return;
    assert.ok((outcome === 'temporary' || outcome === before) && performance.now() < deadline, `${outcome}: ${words}`);
    await sleep(300);
  }
}
