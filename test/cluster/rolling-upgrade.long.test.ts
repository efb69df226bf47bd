/**
 * Two versions side by side, as while a cluster is upgraded node by node: an older commit as fe2 and be2 beside this one. A long proof: it runs with
 * WAYBILL_LONG_TESTS=1 in a clone that has the commit (another one: WAYBILL_OLD_VERSION).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attempt } from '../harness/attempts.ts';
import type { Protocol } from '../harness/attempts.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { runProgram } from '../harness/command.ts';
import { sendTo } from '../harness/moving.ts';

/** The oldest that docs/upgrading.md promises. */
const oldVersion = process.env['WAYBILL_OLD_VERSION'] ?? '2b5fd02';
const root = path.resolve(import.meta.dirname, '..', '..');
const isLong = process.env['WAYBILL_LONG_TESTS'] === '1';
const oldFolder = fs.mkdtempSync(path.join(tmpdir(), 'waybill-old-'));
const programs = { old: path.join(oldFolder, 'waybill.ts'), present: path.join(root, 'waybill.ts') };
const users = ['alice', 'bob'] as const;
const frontends = ['fe1', 'fe2'] as const;

describe('an upgrade node by node', { skip: !isLong }, () => {
  let cluster: Cluster;
  const versions: Record<string, keyof typeof programs> = { fe1: 'present', be1: 'present', fe2: 'old', be2: 'old' };
  /** Subjects by user: all that was acknowledged. */
  const mail = new Map<string, string[]>(users.map((user) => [user, []]));

  before(async () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-c', `git archive ${oldVersion} | tar -x -C ${oldFolder}`], { cwd: root, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    for (const name of ['node_modules', 'dist']) fs.symlinkSync(path.join(root, name), path.join(oldFolder, name));
    const wrap = (node: string) => (command: readonly string[]): string[] => [...command.slice(0, 2), programs[versions[node] ?? 'present'], ...command.slice(3)];
    // As docs/upgrading.md has it: parameters of the new version only when every node runs it.
    const changeConfig = (yaml: string): string => yaml.replace(/^( {2}| {4})administration:.*\n(?:\1 +.*\n)*/gm, '').replace(/^ +backupDirectory:.*\n/gm, '');
    cluster = await startCluster({ changeConfig, wrap: { fe1: wrap('fe1'), fe2: wrap('fe2'), be1: wrap('be1'), be2: wrap('be2') } });
  });

  after(async () => {
    await cluster.stop();
    fs.rmSync(oldFolder, { recursive: true, force: true });
  });

  async function deliverAll(): Promise<void> {
    for (const user of users) for (const node of frontends) mail.get(user)?.push(await sendTo(cluster, node, user));
  }

  /** Every user reads the first and the last of all mail at every front-end, and sends. */
  async function everythingWorks(protocols: readonly Protocol[] = ['imap', 'pop3', 'webmail', 'submission']): Promise<void> {
    const doors = { port: (node: string, service: string) => cluster.port(node as NodeName, service) };
    for (const user of users) {
      for (const node of frontends) {
        for (const protocol of protocols) {
          for (const subject of [mail.get(user)?.at(0), mail.get(user)?.at(-1)]) {
            const what = { protocol, node, address: `${user}@example.com`, password: cluster.password, subject: protocol === 'submission' ? 'sent' : subject ?? '', from: '127.0.0.1' };
            const { outcome, words } = await attempt(doors, what);
            assert.equal(outcome, 'ok', `${user} by ${protocol} at ${node}: ${words}`);
          }
        }
      }
    }
  }

  async function move(version: keyof typeof programs, user: string, node: string): Promise<void> {
    const { code, output, complaint } = await runProgram(programs[version], ['account', 'move', user, node, '--json', '--config', cluster.configFile]);
    assert.equal(code, 0, `${version} moves ${user} to ${node}: ${output}${complaint}`);
  }

  test('logins and mail cross between the versions in every direction', async () => {
    await deliverAll();
    await everythingWorks();
  });

  for (const version of ['present', 'old'] as const) {
    test(`accounts move between the versions both ways by the command of the ${version} one`, async () => {
      const [one, other] = version === 'present' ? ['be2', 'be1'] : ['be1', 'be2'];
      await move(version, 'alice', one);
      await move(version, 'bob', other);
      await deliverAll();
      await everythingWorks(['imap']);
    });
  }

  test('the old nodes are stopped, and go on with their storages as the present version', async () => {
    for (const node of ['be2', 'fe2'] as const) {
      versions[node] = 'present';
      assert.equal(await cluster.stopNode(node), 0);
      await cluster.startNode(node);
      await deliverAll();
      await everythingWorks(['imap']);
    }
    await everythingWorks();
  });

  test('a back-end does not go back to the old version on storages that the present one has used, and goes on as the present one; a front-end does', async () => {
    versions['be1'] = 'old';
    assert.equal(await cluster.stopNode('be1'), 0);
    await assert.rejects(cluster.startNode('be1'));
    versions['be1'] = 'present';
    await cluster.startNode('be1');
    versions['fe1'] = 'old';
    assert.equal(await cluster.stopNode('fe1'), 0);
    await cluster.startNode('fe1');
    await deliverAll();
    await everythingWorks(['imap']);
  });
});
