/** The configuration of running nodes: mistakes are named and change nothing, good edits are put to use, sessions go on. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';
import type { ProgramResult } from '../harness/programs.ts';
import { deliver } from '../harness/smtp-session.ts';

const nodes: readonly NodeName[] = ['fe1', 'fe2', 'be1', 'be2'];
let cluster: Cluster;
/** The configuration that the cluster began with. */
let original: string;

before(async () => {
  cluster = await startCluster();
  original = readFileSync(cluster.configFile, 'utf8');
});
after(async () => cluster.stop());

async function waybill(...words: string[]): Promise<ProgramResult> {
  return run(process.execPath, ['--disable-warning=DEP0060', programFile, ...words]);
}

/** Writes the configuration; the words must then stand in one line of each node's log. */
async function edit(yaml: string, at: readonly NodeName[], words: readonly string[]): Promise<void> {
  const lengths = new Map(at.map((node) => [node, cluster.log(node).length]));
  writeFileSync(cluster.configFile, yaml);
  await Promise.all(at.map(async (node) => logLine(cluster, node, { words, from: lengths.get(node) ?? 0, patienceMs: 20_000 })));
}

/** A file beside the configuration, which names its files relatively. */
function besides(name: string, yaml: string): string {
  const file = join(cluster.folder, name);
  writeFileSync(file, yaml);
  return file;
}

/** Every node does its work: a message to users of both back-ends is found through both front-ends. */
async function allServe(): Promise<void> {
  const { subject, bytes } = newMessage();
  assert.match(await deliver(cluster, 'fe1', { from: 'sender@example.net', to: ['alice@example.com', 'bob@example.com'], bytes }), /^250 /);
  for (const [node, user] of [['fe1', 'bob'], ['fe2', 'alice']] as const) {
    const imap = await ImapSession.logIn(cluster, { node, user });
    await imap.findSoon(subject);
    imap.close();
  }
}

const withUnknownKey = (yaml: string): string => yaml.replace('drainSeconds: 5', 'drainSecond: 5');

describe('mistakes', () => {
  test('config check names an unknown key, its line and the nearest known one', async () => {
    const yaml = withUnknownKey(original);
    const line = yaml.split('\n').findIndex((text) => text.includes('drainSecond:')) + 1;
    const result = await waybill('config', 'check', besides('bad.yaml', yaml));
    assert.equal(result.code, 1);
    assert.match(result.complaint, new RegExp(`bad\\.yaml:${String(line)}:\\d+: .*drainSecond\\b.*drainSeconds`));
  });

  test('config check finds the configuration of the demo good', async () => {
    const result = await waybill('config', 'check', cluster.configFile);
    assert.equal(result.code, 0, result.complaint);
    assert.match(result.output, /is good/);
  });

  test('a running node refuses an edit with a mistake, says why, and goes on as before', async () => {
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    await edit(withUnknownKey(original), nodes, ['configuration refused', 'drainSecond', 'drainSeconds']);
    await imap.ok('NOOP');
    imap.close();
    await allServe();
    await edit(original, nodes, ['again the one in use']);
  });

  test('a node does not start with a mistake, and says why', async () => {
    const result = await waybill('frontend', '--config', besides('bad.yaml', withUnknownKey(original)), '--node', 'fe1');
    assert.equal(result.code, 1);
    assert.match(result.complaint, /drainSecond\b.*drainSeconds/);
  });
});

describe('a port in use', () => {
  test('a node that starts names it', async () => {
    const result = await waybill('frontend', '--config', cluster.configFile, '--node', 'fe1');
    assert.equal(result.code, 1);
    assert.match(result.output + result.complaint, new RegExp(`in use|EADDRINUSE`));
    assert.match(result.output + result.complaint, new RegExp(`127\\.0\\.0\\.1:(${['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'https', 'admin'].map((name) => cluster.port('fe1', name)).join('|')})`));
    await allServe();
  });

  test('a running node that is to listen there names it, and goes on as before', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    try {
      await edit(withListener(port), ['fe1'], ['not applied', 'EADDRINUSE', `127.0.0.1:${port}`]);
      await allServe();
    } finally {
      await new Promise((done) => taken.close(done));
    }
    await edit(original, ['fe1'], ['again the one in use']);
  });
});

test('a data directory in use by another node process is refused by name, and that one goes on', async () => {
  const elsewhere = original.replaceAll(/127\.0\.0\.1:(\d+)/g, (_whole, port: string) => `127.0.0.1:${String(Number(port) + 3)}`);
  const result = await waybill('backend', '--config', besides('second.yaml', elsewhere), '--node', 'be1');
  assert.equal(result.code, 1);
  assert.match(result.output + result.complaint, new RegExp(`${join(cluster.folder, 'be1')}\\S* is in use by process \\d+`));
  await allServe();
});

/** The configuration with one more IMAP listener of fe1. */
function withListener(port: string): string {
  const present = `          - { address: "127.0.0.1:${String(cluster.port('fe1', 'imap'))}", tls: starttls }\n`;
  assert.ok(original.includes(present));
  return original.replace(present, `${present}          - { address: "127.0.0.1:${port}", tls: implicit }\n`);
}

describe('good edits', () => {
  test('a listener is added and taken away; sessions on it and on others go on', async () => {
    const port = cluster.port('fe1', 'imap') + 1;
    const present = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    await edit(withListener(String(port)), ['fe1'], ['runs the new configuration']);
    const added = await Dialogue.connect({ port, tls: 'implicit' });
    await added.expect(/^\* OK /);
    added.say(`a LOGIN bob ${cluster.password}`);
    await added.expect(/^a OK /);
    await present.ok('NOOP');
    await edit(original, ['fe1'], ['runs the new configuration']);
    await assert.rejects(Dialogue.connect({ port, tls: 'implicit' }));
    added.say('b NOOP');
    await added.expect(/^b OK/);
    await present.ok('SELECT INBOX');
    added.close();
    present.close();
    await allServe();
  });

  test('a parameter that shows in the greeting is put to use by that node, and log.level by all', async () => {
    const named = original.replace('serverName: fe2.example.com', 'serverName: mx.renamed.example.com').replace('drainSeconds: 5', 'drainSeconds: 5\n  log: { level: protocol }');
    await edit(named, nodes, ['runs the new configuration']);
    const smtp = await Dialogue.connect({ port: cluster.port('fe2', 'smtp') });
    assert.match((await smtp.reply(220)).join('\n'), /^220 mx\.renamed\.example\.com /);
    smtp.close();
    const imap = await ImapSession.connect(cluster, 'fe1');
    const from = cluster.log('fe1').length;
    await imap.ok('ID ("name" "a very curious client")');
    await logLine(cluster, 'fe1', { words: ['a very curious client'], from });
    imap.close();
    await allServe();
    await edit(original, nodes, ['runs the new configuration']);
  });
});
