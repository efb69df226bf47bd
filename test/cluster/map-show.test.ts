/** `waybill map show` tells where a running front-end has its answer from, and what it did when none runs. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';

let cluster: Cluster;
let commands: CommandRunner;

before(async () => {
  // With one worker, so with one cache; and what it knows outlives a command that is slow to start.
  cluster = await startCluster({ nodes: ['fe1'], changeConfig: (yaml) => yaml.replace('  ldapConnectors:\n', '  routing: { negativeAgeSeconds: 300 }\n  ldapConnectors:\n') });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
});

async function mapShow(...words: string[]): Promise<string> {
  const { code, output, complaint } = await commands.run(['map', 'show', ...words]);
  assert.equal(code, 0, complaint);
  return output;
}

test('the first question goes to the directory, the second to the cache of the front-end', async () => {
  const first = await mapShow('alice');
  assert.match(first, /^address +alice@example\.com\nentry +uid=alice,.*\nmap +users\nnode +be1 at 127\.0\.0\.1 \(mailHost: be1\)\nsource +fe1: directory, asked just now$/m);
  assert.match(await mapShow('alice', '--node', 'fe1'), /^source +fe1: cache$/m);
});

test('addresses that nobody has and domains that are not ours are told apart', async () => {
  assert.match(await mapShow('nobody@example.com'), /^node +none: the address is refused as unknown\nsource +fe1: directory, asked just now$/m);
  assert.match(await mapShow('nobody@example.com'), /^source +fe1: cache$/m);
  assert.match(await mapShow('somebody@example.net'), /^entry +none: not a domain of ours$/m);
});

test('programs read JSON', async () => {
  assert.deepEqual(JSON.parse(await mapShow('bob', '--json')), {
    address: 'bob@example.com', kind: 'found', account: 'bob@example.com', route: { kind: 'node', node: 'be2' }, from: 'directory',
    map: 'users', dn: 'uid=bob,ou=people,dc=example,dc=com', mailHost: 'be2', asked: { kind: 'node', node: 'fe1' },
  });
});

test('a node that has no cache is not asked: the command asks the directory itself and says so', async () => {
  assert.match(await mapShow('alice', '--node', 'be1'), /^source +directory, asked just now; not a front-end's cache: be1 is no front-end$/m);
  assert.match(await mapShow('alice+tag@example.com', '--node', 'be1'), /^address +alice@example\.com$/m);
});

test('while the directory is away the front-end tells what it knows, and that it knows nothing of others', async () => {
  await cluster.stopDirectory();
  assert.match(await mapShow('alice'), /^source +fe1: cache$/m);
  const carol = JSON.parse(await mapShow('carol', '--json')) as Readonly<Record<string, unknown>>;
  assert.equal(carol['kind'], 'unavailable');
  await cluster.startDirectory();
});

test('when the front-end does not run, the command asks the directory itself and says so', async () => {
  await cluster.stopNode('fe1');
  const text = await mapShow('alice');
  assert.match(text, /^node +be1 at 127\.0\.0\.1/m);
  assert.match(text, /^source +directory, asked just now; not a front-end's cache: fe1 does not answer \(connect ECONNREFUSED/m);
  const { asked } = JSON.parse(await mapShow('alice', '--json')) as { readonly asked: object };
  assert.match(JSON.stringify(asked), /"kind":"maps","reason":"fe1 does not answer/);
});
