/** A node dies between commit and reply, and the client's retry goes to another: the world gets one copy, and never none. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { accept, countMessages } from '../../../backend/processing/delivery-keys.ts';
import type { Acceptance, KeyRules } from '../../../backend/processing/delivery-keys.ts';
import { laterOnes, whoseTheyAre } from '../../../backend/processing/retries-elsewhere.ts';
import type { AskOthers, LaterOnes } from '../../../backend/processing/retries-elsewhere.ts';
import { openEnvironment } from '../../../backend/storage/storage.ts';
import { messageOf, openLeg, pieces, startWorld, TestCluster, until } from './cluster.ts';
import type { World } from './cluster.ts';
import type { NodeSettings, TestNode } from './test-node.ts';

const custodian = new Map([['XWAYBILL-CUSTODIAN', true as const]]);
const deadPort = 9; // discard: nobody listens there

function to(world: Pick<World, 'port'>): Partial<NodeSettings> {
  return { routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls: 'none' }], expansions: { 'forward@example.com': ['y@outside.example'] } };
}

async function send(port: number, bytes: Buffer): Promise<() => Promise<void>> {
  const leg = await openLeg(port);
  assert.equal((await leg.mail({ address: 's@example.net', extra: custodian })).code, 250);
  for (const address of ['x@outside.example', 'forward@example.com']) assert.equal((await leg.rcpt({ address })).code, 250);
  assert.equal((await leg.data(pieces(bytes)))[0]?.code, 250);
  return async () => leg.quit();
}

function copies(world: World, subject: string): readonly string[] {
  return world.taken.filter(({ text }) => text.includes(`Subject: ${subject}\r\n`)).flatMap(({ to: addresses }) => addresses).toSorted();
}

async function sentAll(node: TestNode): Promise<void> {
  await until('the queue is empty', () => node.processing.list({ from: '', limit: 1 }).length === 0);
}

const once = ['x@outside.example', 'y@outside.example'];

test('be1 dies before its 250 is heard: a retry at be2 is the message, and without one be1 sends it when it is back', async (t) => {
  const world = await startWorld(t);
  const cluster = new TestCluster(t);
  const be2 = await cluster.start(t, 'be2', to(world));
  const dying = await cluster.fork(t, 'be1', to({ port: deadPort }));
  await send(dying.ports.lmtp, messageOf('sent again'));
  await send(dying.ports.lmtp, messageOf('given up'));
  await dying.kill();
  await (await send(be2.ports.lmtp, messageOf('sent again')))();
  await sentAll(be2);
  const be1 = await cluster.start(t, 'be1', to(world));
  await sentAll(be1);
  assert.deepEqual(copies(world, 'sent again'), once);
  assert.deepEqual(copies(world, 'given up'), once);
  // What is meant comes again, whichever node it goes to.
  await (await send(be1.ports.lmtp, messageOf('sent again')))();
  await sentAll(be1);
  assert.equal(copies(world, 'sent again').length, 2 * once.length);
});

test('a node that may have the retry and is silent is waited for; not for ever', async (t) => {
  const world = await startWorld(t);
  const cluster = new TestCluster(t);
  const be2 = await cluster.start(t, 'be2', to(world));
  const dying = await cluster.fork(t, 'be1', to({ port: deadPort }));
  for (const subject of ['taken by be2', 'taken by nobody']) await send(dying.ports.lmtp, messageOf(subject));
  await dying.kill();
  await (await send(be2.ports.lmtp, messageOf('taken by be2')))();
  await sentAll(be2);
  await be2.stop();
  const patient = await cluster.start(t, 'be1', { ...to(world), retry: { silentNodesMs: 600_000 } });
  await until('both wait for be2', () => {
    const words = patient.processing.list({ from: '', limit: 9 }).flatMap(({ recipients }) => recipients.filter(({ state }) => state.at === 'waiting').map(({ lastWords }) => lastWords ?? ''));
    return words.length === 2 * once.length && words.every((text) => text.startsWith('be2 may have taken'));
  });
  await patient.stop();
  const impatient = await cluster.start(t, 'be1', { ...to(world), retry: { silentNodesMs: 0 } });
  await sentAll(impatient);
  assert.deepEqual(copies(world, 'taken by nobody'), once);
  assert.equal(copies(world, 'taken by be2').length, 2 * once.length, 'better twice than never');
});

const nodes = ['be1', 'be2', 'be3'] as const;
const rules: KeyRules = { retryWindowMs: 1000, isAlive: () => false };
const steps = fc.array(fc.record({
  at: fc.constantFrom(...nodes), confirmation: fc.constantFrom('loose' as const, 'loose' as const, 'confirmed' as const),
  /** Which nodes then try to send what they have, and who is down meanwhile. */
  tries: fc.subarray([...nodes]), down: fc.subarray([...nodes]),
}), { minLength: 1, maxLength: 9 });

test('whoever is asked when, and is down, at least as many copies go out as there are messages; where nobody was hasty, no more', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-retries-'));
  const environment = openEnvironment(directory);
  const table = environment.table('records');
  const records = { read: <T>(action: (records: typeof table) => T): T => environment.read(() => action(table)), write: async <T>(action: (records: typeof table) => T): Promise<T> => environment.write(() => action(table)) };
  let runs = 0;
  try {
    await fc.assert(fc.asyncProperty(steps, async (story) => {
      runs += 1;
      const keyAt = (node: string): string => `${String(runs)} ${node}`; // each node's records are its own
      const all: Acceptance[] = [];
      const items: { readonly node: string; readonly acceptance: Acceptance; state: 'waiting' | 'sent' | 'dropped' }[] = [];
      const tryAll = async (trying: readonly string[], down: readonly string[]): Promise<void> => {
        for (const item of items.filter(({ node, state }) => state === 'waiting' && trying.includes(node) && !down.includes(node))) {
          const { node, acceptance } = item;
          const ask: AskOthers = async (loose) => Promise.resolve(new Map(nodes.filter((other) => other !== node).map((other): [string, LaterOnes | 'silent'] =>
            [other, down.includes(other) ? 'silent' : laterOnes(records, loose.map(({ name }) => ({ key: keyAt(other), name })), rules)])));
          const [whose] = acceptance.confirmation === 'loose' ? await whoseTheyAre(records, [{ key: keyAt(node), name: acceptance }], { rules, ask }) : [];
          item.state = whose?.at === 'elsewhere' ? 'dropped' : 'sent';
        }
      };
      for (const [index, { at, confirmation, tries, down }] of story.entries()) {
        const acceptance: Acceptance = { id: `${at}-${String(index)}`, acceptedAtMs: 10 * index, confirmation, holder: 'dead' };
        all.push(acceptance);
        const answer = await records.write((inside) => accept(inside, keyAt(at), { acceptance, rules }));
        if (answer === 'new') items.push({ node: at, acceptance, state: 'waiting' });
        await tryAll(tries, down);
      }
      await tryAll(nodes, []);
      const sent = items.filter(({ state }) => state === 'sent').length;
      const messages = countMessages(all, rules);
      assert.ok(sent >= messages, `${String(sent)} copies of ${String(messages)} messages`);
      const onceEach = new Set(story.map(({ at }) => at)).size === story.length;
      if (onceEach && story.every(({ tries }) => tries.length === 0)) assert.equal(sent, messages);
    }), { numRuns: 150 });
  } finally {
    await environment.close();
    rmSync(directory, { recursive: true });
  }
});
