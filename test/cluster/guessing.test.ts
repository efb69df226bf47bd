/** Guesses and connections are counted by all workers of a front-end together: three of them here, behind slapd's answers. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster({
    directory: 'slapd', nodes: ['be1', 'be2', 'fe1'],
    changeConfig: (yaml) => yaml
      .replace('  fe1:\n', '  fe1:\n    workers: 3\n')
      .replace('  userMaps:\n', '  guessing: { trustedNetworks: [127.66.20.0/24], longestWaitSeconds: 2 }\n  userMaps:\n')
      .replace('      pop3Proxy:\n', '      pop3Proxy:\n        peerMaxConnections: 7\n'),
  });
});
after(async () => cluster.stop());

interface Answer { readonly line: string; readonly tookMs: number }

async function logIn(from: string, user: string, password: string): Promise<Answer> {
  const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit', from });
  try {
    await imap.line();
    const began = performance.now();
    imap.say(`a LOGIN ${user} "${password}"`);
    return { line: await imap.line(), tookMs: performance.now() - began };
  } finally {
    imap.close();
  }
}

async function guess(from: string, user: string, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < count; at += 1) answers.push(await logIn(from, user, `guess ${String(at)} from ${from}`));
  for (const { line } of answers) assert.match(line, /^a NO \[AUTHENTICATIONFAILED\]/);
  return answers;
}

const longest = (answers: readonly Answer[]): number => Math.max(...answers.map(({ tookMs }) => tookMs));

/** The processes of fe1's workers. */
function workers(): number[] {
  return execFileSync('ps', ['--ppid', String(cluster.pid('fe1')), '-o', 'pid='], { encoding: 'utf8' }).trim().split(/\s+/).map(Number);
}

test('guesses spread over workers are slowed as if there were one, and a worker\'s death makes nobody forget', async () => {
  assert.equal(workers().length, 3);
  const answers = await guess('127.66.9.1', 'bob', 6);
  assert.ok((answers[5]?.tookMs ?? 0) >= 2000, answers.map(({ tookMs }) => Math.round(tookMs)).join(' '));
  for (const pid of workers()) process.kill(pid, 'SIGKILL');
  await sleep(500);
  for (let tries = 0; tries < 600 && !(await logIn('127.66.20.9', 'alice', cluster.password).then(({ line }) => line.startsWith('a OK'), () => false)); tries += 1) await sleep(100);
  assert.ok(longest(await guess('127.66.9.1', 'carol', 1)) >= 2000, 'the network is known to the new workers');
});

test('good users behind the address of a guesser get in: known ones at once, others soon', async () => {
  const nat = '127.66.9.2';
  assert.match((await logIn(nat, 'alice', cluster.password)).line, /^a OK/);
  await guess(nat, 'frank', 6);
  const known = await logIn(nat, 'alice', cluster.password);
  assert.match(known.line, /^a OK/);
  const unknown = await logIn(nat, 'carol', cluster.password);
  assert.match(unknown.line, /^a OK/);
  assert.ok(known.tookMs < 1900 && unknown.tookMs >= 1900 && unknown.tookMs < 10_000, `${String(known.tookMs)} ${String(unknown.tookMs)}`);
  const owner = await logIn('127.66.9.3', 'frank', cluster.password);
  assert.match(owner.line, /^a OK/);
  assert.ok(owner.tookMs < 1900, 'the owner of the account, from elsewhere');
});

test('a program that repeats one wrong password is not slowed, nor are trusted networks', async () => {
  const repeated: Answer[] = [];
  for (let count = 0; count < 8; count += 1) repeated.push(await logIn('127.66.9.4', 'dave', 'the old one'));
  assert.ok(longest(repeated) < 1900, repeated.map(({ tookMs }) => Math.round(tookMs)).join(' '));
  assert.ok(longest(await guess('127.66.20.1', 'erin', 8)) < 1900);
});

test('a client that is connected logs in while the supervisor is stuck', async () => {
  const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit', from: '127.66.9.5' });
  await imap.line();
  process.kill(cluster.pid('fe1'), 'SIGSTOP');
  try {
    imap.say('a LOGIN alice wrong');
    assert.match(await imap.line(), /^a NO/);
    imap.say(`b LOGIN alice ${cluster.password}`);
    assert.match(await imap.line(), /^b OK/);
  } finally {
    process.kill(cluster.pid('fe1'), 'SIGCONT');
    imap.close();
  }
});

test('connections of one address are limited over all workers together, and freed', async () => {
  const open = async (): Promise<Dialogue | undefined> => {
    const pop3 = await Dialogue.connect({ port: cluster.port('fe1', 'pop3'), from: '127.66.9.6' });
    return (await pop3.line().catch(() => '')).startsWith('+OK') ? pop3 : undefined;
  };
  const held: (Dialogue | undefined)[] = [];
  for (let count = 0; count < 12; count += 1) held.push(await open());
  const admitted = held.filter((one) => one !== undefined).length;
  assert.equal(admitted, 7);
  for (const one of held) one?.close();
  for (let tries = 0; tries < 50; tries += 1) {
    const again = await open();
    if (again !== undefined) return again.close();
    await sleep(50);
  }
  assert.fail('never freed');
});
