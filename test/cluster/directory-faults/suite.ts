/** One fault after the other, while logins and deliveries go on. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { frontendNames } from '../../harness/cluster.ts';
import type { Fault } from './faults.ts';
import { footprintOf, judgeLedger, judgeRecovery, judgeStrangers, longestAnswerMs } from './judge.ts';
import type { Footprint } from './judge.ts';
import { startSetting } from './setting.ts';
import type { Inhabitant, Setting } from './setting.ts';
import { attempt, logins } from '../../harness/attempts.ts';
import { marker, SteadyLoad } from './steady-load.ts';

const nodes = ['fe1', 'fe2', 'be1', 'be2'] as const;
/** Users of a directory that is well wait for it as they always do: for no answer as long as one question to another directory may take, which is 4 s. */
const soundAnswerMs = 3500;

export interface Running {
  readonly setting: Setting;
  readonly load: SteadyLoad;
  /** Everybody who may have a mailbox. */
  readonly people: readonly Inhabitant[];
}

/** @param more further tests, before the books are checked */
export function faultsSuite(faults: readonly Fault[], more: (current: () => Running) => void = () => undefined): void {
  let running: Running | undefined;
  const footprints = new Map<string, Footprint>();
  const current = (): Running => {
    if (running === undefined) throw new Error('not started');
    return running;
  };

  before(async () => {
    const setting = await startSetting(faults.map(({ name }) => name));
    const people = [...setting.steady, ...faults.flatMap(({ name }) => setting.fresh(name))];
    running = { setting, people, load: new SteadyLoad(setting.cluster, []) };
    await introduce(setting);
    running = { setting, people, load: new SteadyLoad(setting.cluster, setting.steady) };
    for (const node of nodes) footprints.set(node, footprintOf(setting.cluster, node));
  });
  after(async () => {
    await running?.load.stop();
    await running?.setting.stop();
  });

  for (const fault of faults) {
    test(`${fault.name}: known users go on, others hear of something temporary, other directories' users notice nothing`, async (t) => {
      const { setting, load } = current();
      await refresh(setting, load);
      const beganAt = performance.now();
      await fault.begin(setting);
      try {
        await judgeStrangers(setting, load, fault);
      } finally {
        await fault.end(setting);
      }
      const lastedMs = performance.now() - beganAt;
      const recoveredMs = await judgeRecovery(setting, load, fault);
      t.diagnostic(`${fault.name} lasted ${seconds(lastedMs)}, all well ${seconds(recoveredMs)} after it`);
      for (const group of ['alone', 'twin', 'sound'] as const) {
        const noted = load.since(beganAt, group);
        const bad = noted.filter(({ outcome, who }) => outcome !== 'ok' && setting.steady.includes(who));
        assert.deepEqual(bad.map(({ who, protocol, node, outcome, words }) => ({ who: who.address, protocol, node, outcome, words })), [], `steady users of ${group}`);
        assert.ok((noted[0]?.tookMs ?? 0) < longestAnswerMs * (fault.service === 'slow' ? 2 : 1), `${group}: ${String(noted[0]?.protocol)} took ${seconds(noted[0]?.tookMs ?? 0)}`);
        t.diagnostic(`${group}: ${String(noted.length)} done, median ${seconds(noted[Math.floor(noted.length / 2)]?.tookMs ?? 0)}, longest ${seconds(noted[0]?.tookMs ?? 0)}`);
      }
      const [waited] = load.since(beganAt, 'sound').toSorted((one, other) => other.longestWaitMs - one.longestWaitMs);
      assert.ok(waited !== undefined && waited.longestWaitMs < soundAnswerMs, `sound: ${String(waited?.protocol)} waited ${seconds(waited?.longestWaitMs ?? 0)} for one answer`);
      t.diagnostic(`sound: at most ${seconds(waited.longestWaitMs)} for one answer`);
    });
  }

  more(current);

  test('nothing has piled up: descriptors and memory are as before', async (t) => {
    const { setting, load } = current();
    await load.stop();
    for (const node of nodes) {
      const [then, now] = [footprints.get(node) ?? { descriptors: 0, megabytes: 0 }, footprintOf(setting.cluster, node)];
      t.diagnostic(`${node}: ${String(then.descriptors)} descriptors and ${then.megabytes.toFixed(0)} MB before, ${String(now.descriptors)} and ${now.megabytes.toFixed(0)} MB after`);
      assert.ok(now.descriptors < then.descriptors + 100, `${node} has ${String(now.descriptors)} descriptors open, it were ${String(then.descriptors)}`);
      assert.ok(now.megabytes < then.megabytes + 200, `${node} has grown from ${String(then.megabytes)} to ${String(now.megabytes)} MB`);
    }
    // Four connectors, four connections for searches and four for passwords each, at four nodes; three connectors lead through the proxy.
    assert.ok(setting.proxy.mostConnections <= 3 * 8 * nodes.length, `${String(setting.proxy.mostConnections)} connections to the directory`);
    t.diagnostic(`at most ${String(setting.proxy.mostConnections)} connections to the directory`);
  });

  test('all mail that was taken is with its owner, once, and no mailbox is on a node that is not its owner\'s', async (t) => {
    const { setting, load, people } = current();
    t.diagnostic(`${String(await judgeLedger(setting, load, people))} messages`);
  });
}

/** Everybody's first message, and a first login at each front-end. */
async function introduce(setting: Setting): Promise<void> {
  const quiet = new SteadyLoad(setting.cluster, []);
  for (const who of setting.steady) await sendMarker(setting, who);
  await refresh(setting, quiet);
}

export async function sendMarker({ cluster }: Setting, who: Inhabitant): Promise<void> {
  const { outcome, words } = await attempt(cluster, { protocol: 'mx', node: 'fe1', address: who.address, password: '', subject: marker, from: '127.0.0.1' });
  assert.equal(outcome, 'ok', words);
}

/** What the front-ends remember of the steady users is new, and they have gone back to the first address of the directory that has two. */
export async function refresh(setting: Setting, load: SteadyLoad): Promise<void> {
  const deadline = performance.now() + 20_000;
  do {
    assert.ok(performance.now() < deadline, 'the second address is still in use');
    setting.secondRoad.cutAll();
    for (const node of frontendNames) {
      const done = await Promise.all(setting.steady.map(async (who) => load.once({ who, protocol: logins[0], node })));
      for (const { outcome, words } of done) assert.equal(outcome, 'ok', words);
    }
  } while (setting.secondRoad.openConnections > 0);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
