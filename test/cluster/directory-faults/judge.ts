/** What must hold while a fault lasts, and after its end. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { overviewAt, withCluster } from '../../../cluster-config/command-line/cluster-view.ts';
import { frontendNames } from '../../harness/cluster.ts';
import type { Cluster, NodeName } from '../../harness/cluster.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { attempt, logins } from '../../harness/attempts.ts';
import type { Outcome, Protocol, Result } from '../../harness/attempts.ts';
import type { Fault } from './faults.ts';
import { doomed, peoplesPassword } from './setting.ts';
import type { Inhabitant, Setting } from './setting.ts';
import { newClientAddress } from './steady-load.ts';
import type { SteadyLoad } from './steady-load.ts';

/** Two questions of 4 seconds to a directory (who is it, is the password right), and one wait for a connection; the rest is for a slow machine. */
export const longestAnswerMs = 15_000;
/** The longest pause of an address is 5 s and a quarter of it; the rest is for a slow machine. */
const longestRecoveryMs = 10_000;
/** Logins at once, by somebody who isn't known. */
const crowd = 40;
const protocols: readonly Protocol[] = [...logins, 'mx'];

/** Everybody who isn't known tries while the fault lasts, and a crowd at once. */
export async function judgeStrangers(setting: Setting, load: SteadyLoad, fault: Fault): Promise<void> {
  const { cluster } = setting;
  const fresh = setting.fresh(fault.name);
  const tries: Promise<void>[] = [];
  const expect = (what: { readonly address: string; readonly password?: string; readonly protocol: Protocol }, allowed: readonly Outcome[], node: NodeName): void => {
    const { address, protocol, password = peoplesPassword } = what;
    tries.push(attempt(cluster, { node, address, protocol, password, subject: `stranger-${randomUUID()}`, from: newClientAddress() }).then((result) => {
      check(fault, `${address} by ${protocol} at ${node}`, { result, allowed });
    }));
  };
  const node = (index: number): NodeName => frontendNames[index % 2] ?? 'fe1';
  for (const [index, protocol] of protocols.entries()) {
    for (const { address, group } of fresh) {
      if (protocol === 'mx') continue;
      if (group === 'alone') expect({ address, protocol }, fault.service === 'none' ? ['temporary'] : ['ok', 'empty', 'temporary'], node(index));
    }
    const nobody = (domain: string): string => `nobody-${randomUUID()}@${domain}`;
    expect({ address: nobody('example.com'), protocol }, fault.denials === 'believable' ? ['refused', 'temporary'] : ['temporary'], node(index));
    expect({ address: nobody('twin.example'), protocol }, ['refused'], node(index + 1));
    expect({ address: nobody('other.example'), protocol }, ['refused'], node(index));
    if (protocol === 'mx') continue;
    for (const address of ['one@example.com', 'one@hash.example']) expect({ address, protocol, password: `wrong-${randomUUID()}` }, ['temporary', 'refused'], node(index));
    for (const address of ['one@twin.example', 'one@other.example']) expect({ address, protocol, password: `wrong-${randomUUID()}` }, ['refused'], node(index));
  }
  const [first] = fresh;
  for (let index = 0; index < crowd; index += 1) expect({ address: first?.address ?? '', protocol: 'imap' }, fault.service === 'none' ? ['temporary'] : ['ok', 'empty', 'temporary'], node(index));
  for (const who of fresh) {
    if (who.group === 'alone') expect({ address: who.address, protocol: 'mx' }, fault.service === 'none' ? ['temporary'] : ['ok', 'temporary'], 'fe1');
    else {
      // Two addresses don't help against the slowness of the first: the back-end that makes the mailbox waits, too.
      const allowed: readonly Outcome[] = fault.service === 'slow' && who.group === 'twin' ? ['ok', 'empty', 'temporary'] : ['ok', 'empty'];
      tries.push(...protocols.map(async (protocol, index) => { check(fault, `${who.address} by ${protocol}`, { allowed, result: await load.once({ who, protocol, node: node(index) }) }); }));
    }
  }
  await Promise.all(tries);
}

/** Right after the end everybody is known again, and nobody was learnt to be unknown. */
export async function judgeRecovery(setting: Setting, load: SteadyLoad, fault: Fault): Promise<number> {
  const endedAt = performance.now();
  for (const who of setting.fresh(fault.name)) {
    for (const node of frontendNames) await settled(async () => load.once({ who, protocol: 'imap', node }), ['ok', 'empty'], endedAt);
    await settled(async () => load.once({ who, protocol: 'mx', node: 'fe2' }), ['ok'], endedAt);
  }
  const tookMs = performance.now() - endedAt;
  const nobody = { protocol: 'mx', node: 'fe1', address: `nobody-${randomUUID()}@example.com`, password: '', subject: 'nothing', from: newClientAddress() } as const;
  await settled(async () => attempt(setting.cluster, nobody), ['refused'], endedAt);
  return tookMs;
}

async function settled(work: () => Promise<Result>, wanted: readonly Outcome[], sinceMs: number): Promise<void> {
  for (;;) {
    const result = await work();
    if (wanted.includes(result.outcome)) return;
    assert.equal(result.outcome, 'temporary', `after the end of the fault: ${result.words}`);
    assert.ok(performance.now() - sinceMs < longestRecoveryMs, `still after ${String(Math.round(performance.now() - sinceMs))} ms: ${result.words}`);
    await sleep(200);
  }
}

function check(fault: Fault, what: string, { result: { outcome, words, tookMs }, allowed }: { readonly result: Result; readonly allowed: readonly Outcome[] }): void {
  assert.ok(allowed.includes(outcome), `${fault.name}: ${what}: ${outcome}, not ${allowed.join(' or ')}: ${words}`);
  assert.ok(tookMs < longestAnswerMs * (fault.service === 'slow' ? 2 : 1), `${fault.name}: ${what}: took ${String(Math.round(tookMs))} ms: ${words}`);
}

export interface Footprint { readonly descriptors: number; readonly megabytes: number }

/** Descriptors, and the most memory so far, of a node's worker processes together. */
export function footprintOf(cluster: Cluster, node: NodeName): Footprint {
  const supervisor = cluster.pid(node);
  const workers = fs.readFileSync(`/proc/${String(supervisor)}/task/${String(supervisor)}/children`, 'utf8').trim().split(' ');
  const sum = (of: (pid: string) => number): number => workers.map(of).reduce((one, other) => one + other, 0);
  return {
    descriptors: sum((pid) => fs.readdirSync(`/proc/${pid}/fd`).length),
    megabytes: sum((pid) => Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024),
  };
}

/** Every message that was taken is with its owner, once; and no back-end keeps an account that isn't its own. */
export async function judgeLedger(setting: Setting, load: SteadyLoad, people: readonly Inhabitant[]): Promise<number> {
  const deadline = performance.now() + 120_000; // a queue asks the directory again within a minute
  let count = 0;
  for (const { address, owner } of people) {
    const expected = load.ledger.get(address) ?? [];
    let found: readonly string[] | undefined;
    while ((found = await subjectsAt(setting.cluster, owner, address)) === undefined || !expected.every((subject) => found?.includes(subject))) {
      assert.ok(performance.now() < deadline, `of ${address}'s mail is not on ${owner}: ${expected.filter((subject) => found?.includes(subject) !== true).join(' ')}`);
      await sleep(1000);
    }
    assert.equal(new Set(found).size, found.length, `${address} has a message twice`);
    count += expected.length;
  }
  await withCluster({ config: setting.cluster.configFile }, async (view) => {
    for (const node of ['be1', 'be2'] as const) {
      const { live } = await overviewAt(view, node);
      const foreign = live.filter((address) => [...people, doomed].find((one) => one.address === address)?.owner !== node);
      assert.deepEqual(foreign, [], `accounts on ${node} that are not its own`);
    }
  });
  return count;
}

/** Subjects in the INBOX, as the back-end itself shows it; undefined while it still pauses from a directory that was away. */
async function subjectsAt(cluster: Cluster, node: NodeName, address: string): Promise<string[] | undefined> {
  const dialogue = await Dialogue.connect({ port: cluster.port(node, 'imap'), tls: 'none', from: newClientAddress() });
  try {
    await dialogue.expect(/^\* OK/);
    dialogue.say('s STARTTLS');
    await dialogue.until(/^s OK/);
    await dialogue.startTls();
    dialogue.say(`a LOGIN ${address} ${peoplesPassword}`);
    const [answer = ''] = await dialogue.until(/^a .*/);
    if (answer.startsWith('a NO [UNAVAILABLE] ')) return undefined;
    assert.match(answer, /^a OK/);
    dialogue.say('b EXAMINE INBOX');
    await dialogue.until(/^b OK/);
    dialogue.say('c FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])');
    const text = (await dialogue.bytesUntil('c OK')).toString();
    return [...text.matchAll(/^Subject: (\S+)/gm)].map((match) => match[1] ?? '');
  } finally {
    dialogue.close();
  }
}
