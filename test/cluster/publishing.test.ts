/** The configuration published through OpenLDAP to running nodes: put to use, refused, missed, taken back, while a session goes on. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { NodeName } from '../harness/cluster.ts';
import { runCommand, runProgram } from '../harness/command.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { configurationEntry, startPublishedCluster, withoutNode } from '../harness/published-cluster.ts';
import type { PublishedCluster } from '../harness/published-cluster.ts';
import { draftCommit, draftNew, draftSet } from '../../cluster-config/command-line/draft-command.ts';
import { digestOf } from '../../cluster-config/publishing/published.ts';

const nodes: readonly NodeName[] = ['fe1', 'be1', 'be2'];

let home: PublishedCluster;
/** Begun under the first version. */
let session: ImapSession;

before(async () => {
  home = await startPublishedCluster();
  // The demo's second front-end does not run here.
  const text = withoutNode(home.yaml, 'fe2');
  home = { ...home, yaml: text };
});
after(async () => home.cluster.stop());

function extraPort(): number {
  return home.cluster.port('fe1', 'imap') + 1;
}

function withExtraListener(yaml: string): string {
  const port = home.cluster.port('fe1', 'imap');
  const changed = yaml.replace(new RegExp(`( +- \\{ address: "127\\.0\\.0\\.1:)${String(port)}(".*\\n)`), `$&$1${String(extraPort())}$2`);
  assert.notEqual(changed, yaml);
  return changed;
}

async function isOpen(port: number): Promise<boolean> {
  try {
    const dialogue = await Dialogue.connect({ port });
    dialogue.close();
    return true;
  } catch {
    return false; // nobody listens there
  }
}

/** What the present version is, and when it was published, by the directory itself. */
async function present(): Promise<{ readonly number: string | undefined; readonly atMs: number }> {
  const { uri, adminDn, adminPassword } = home.cluster.ldap;
  const { output } = await runTool('ldapsearch', { uri, as: [adminDn, adminPassword], parameters: ['-LLL', '-b', configurationEntry, '-s', 'base', 'waybillVersion', 'waybillFact'] });
  return { number: /^waybillVersion: (.*)$/m.exec(output)?.[1], atMs: Date.parse(/^waybillFact: at=(.*)$/m.exec(output)?.[1] ?? '') };
}

/** What each node did with a version, milliseconds after it was published, by the nodes' own clocks: when it took it or refused it, and when all its workers ran it. */
async function settled(number: number, publishedMs: number): Promise<readonly { readonly node: string; readonly decidedMs: number; readonly runsMs: number }[]> {
  const standing = await home.status();
  return nodes.map((node) => {
    const { running, begun, refused } = standing[node]?.state ?? {};
    const [decided, runs] = running?.number === number ? [begun, running.since] : refused?.number === number ? [refused.at, refused.at] : [];
    assert.ok(decided !== undefined && runs !== undefined, `${node} says nothing of version ${String(number)}: ${JSON.stringify(standing[node])}`);
    return { node, decidedMs: Date.parse(decided) - publishedMs, runsMs: Date.parse(runs) - publishedMs };
  });
}

/** Workers of a busy machine start slowly, so that they do is told apart from how soon a node decided: `config status` says "starting" meanwhile. */
async function assertDecidedWithinTenSeconds(number: number, publishedMs: number): Promise<void> {
  const all = await settled(number, publishedMs);
  for (const { node, decidedMs, runsMs } of all) assert.ok(decidedMs > 0 && decidedMs < 10_000 && runsMs >= decidedMs, `${node}: ${JSON.stringify(all)}`);
}

async function sessionGoesOn(): Promise<void> {
  await session.ok('NOOP');
}

test('while nothing is published a node does not start, and says what is to be done', async () => {
  await assert.rejects(home.cluster.startNode('be1'), /nothing is published at cn=waybill-configuration,dc=example,dc=com: .*waybill config publish FILE/);
});

test('a document with a secret in it is refused with its line and path, and so is one with a mistake', async () => {
  const inline = await home.publish(home.yaml.replace(/bindPassword: \{ file: [^}]*\}/, 'bindPassword: "opensesame"'));
  assert.deepEqual([inline.code, inline.output], [1, '']);
  assert.match(inline.complaint, /next\.yaml:\d+:\d+: cluster\.ldapConnectors\[0\]\.bindPassword: a secret is given as \{file: NAME\} or \{env: NAME\}, never as itself/);
  const key = await home.publish(home.yaml.replace('name: waybill-demo', 'name: waybill-demo\n  sslRandomFile: "-----BEGIN PRIVATE KEY-----"'));
  assert.match(key.complaint, /next\.yaml:\d+:\d+: cluster\.sslRandomFile: is a private key/);
  const mistake = await home.publish(home.yaml.replace('workers: 1', 'worker: 1'));
  assert.match(mistake.complaint, /next\.yaml:\d+:\d+: cluster\.worker: unknown key/);
  assert.equal((await present()).number, undefined);
});

test('the first version is published, and nodes start with it', async () => {
  const first = await home.publish(home.yaml, { message: 'the beginning', by: 'ann' });
  assert.equal(first.code, 0, first.complaint);
  assert.match(first.output, /version 1 is published/);
  assert.match(first.output, /^be1 +backend +away/m);
  await Promise.all(nodes.map(async (node) => home.cluster.startNode(node)));
  session = await ImapSession.logIn(home.cluster, { node: 'fe1', user: 'alice' });
  await session.ok('SELECT INBOX');
  const status = await home.config('status');
  assert.equal(status.code, 0, status.output);
  assert.match(status.output, /^published: version 1 /);
  for (const node of nodes) assert.match(status.output, new RegExp(`^${node} +\\S+ +runs +1 `, 'm'));
});

test('a listener is added by publishing, within ten seconds on every node, and taken away by a rollback; a session goes on', async () => {
  const second = await home.publish(withExtraListener(home.yaml));
  assert.equal(second.code, 0, second.output + second.complaint);
  await assertDecidedWithinTenSeconds(2, (await present()).atMs);
  for (const node of nodes) assert.match(second.output, new RegExp(`^${node} +\\S+ +runs +2 `, 'm'));
  assert.ok(await isOpen(extraPort()));
  await sessionGoesOn();
  const diff = await home.config('diff');
  assert.match(diff.output, new RegExp(`^--- version 1 by ann .*: the beginning\\n\\+\\+\\+ version 2 by \\S+@\\S+ [^]*^\\+ +- \\{ address: "127\\.0\\.0\\.1:${String(extraPort())}"`, 'm'));
  const back = await home.config('rollback', '1', '--wait-seconds', '120');
  assert.equal(back.code, 0, back.output + back.complaint);
  assert.match(back.output, /version 3 is published/);
  assert.equal(await isOpen(extraPort()), false);
  await sessionGoesOn();
  const history = await home.config('history');
  assert.match(history.output, /^VERSION .*\n3 .* back to version 1\n2 .*\n1 .* ann .* the beginning$/m);
});

test('what a living node can\'t read by its own program is not published, and the nodes are named', async (t) => {
  // A later program, whose documents bear another number.
  const later = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-later-'));
  t.after(() => fs.rmSync(later, { recursive: true, force: true }));
  const here = path.resolve(import.meta.dirname, '..', '..');
  for (const name of ['shared', 'cluster-config', 'waybill.ts', 'package.json']) fs.cpSync(path.join(here, name), path.join(later, name), { recursive: true });
  fs.symlinkSync(path.join(here, 'node_modules'), path.join(later, 'node_modules'));
  const schema = path.join(later, 'cluster-config', 'schema.ts');
  fs.writeFileSync(schema, fs.readFileSync(schema, 'utf8').replace('schemaNumber = 1', 'schemaNumber = 2'));
  const file = path.join(home.cluster.folder, 'later.yaml');
  fs.writeFileSync(file, home.yaml.replace('schema: 1', 'schema: 2'));
  const { code, output, complaint } = await runProgram(path.join(later, 'waybill.ts'), ['config', 'publish', file, '--config', home.cluster.configFile]);
  assert.deepEqual([code, output], [1, '']);
  for (const node of nodes) assert.match(complaint, new RegExp(`^${node} can't read it: the text:\\d+:9: schema: .*expected 1`, 'm'));
  assert.equal((await present()).number, '3');
});

test('a version that is bad is refused by every node, which are named with the reason; all goes on, and the next good one is taken', async () => {
  const { uri, adminDn, adminPassword } = home.cluster.ldap;
  const bad = home.yaml.replace('drainSeconds: 5', 'drainSeconds: soon');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const input = `dn: ${configurationEntry}\nchangetype: modify\nreplace: waybillVersion\nwaybillVersion: 4\n-\nreplace: waybillDocument\nwaybillDocument:: ${base64(bad)}\n-\nreplace: waybillFact\nwaybillFact: digest=${digestOf(bad)}\nwaybillFact: by=mallory\n`;
  const modifiedMs = Date.now();
  const { code, complaint } = await runTool('ldapmodify', { uri, as: [adminDn, adminPassword], input });
  assert.equal(code, 0, complaint);
  await home.until('all refuse it', (standing) => nodes.every((node) => standing[node]?.kind === 'refuses'));
  await assertDecidedWithinTenSeconds(4, modifiedMs); // by polling alone, as nobody told them
  const status = await home.config('status');
  assert.equal(status.code, 1);
  assert.match(status.output, /^published: version 4 .*, which is bad:\nversion 4:\d+:\d+: cluster\.drainSeconds: .*expected number/);
  for (const node of nodes) assert.match(status.output, new RegExp(`^${node} +\\S+ +refuses +3 .* refuses version 4: version 4:\\d+:\\d+: cluster\\.drainSeconds`, 'm'));
  await sessionGoesOn();
  // Mended by a draft, while somebody else has the same thought.
  const [mine, theirs] = ['mine', 'theirs'].map((name) => ({ config: home.cluster.configFile, draft: path.join(home.cluster.folder, name), waitSeconds: '60', by: name }));
  for (const draft of [mine!, theirs!]) {
    assert.match(await draftNew(draft), /is a draft of version 4/);
    await draftSet('cluster.drainSeconds', '4', draft);
  }
  const said: string[] = [];
  assert.equal(await draftCommit(mine!, (line) => said.push(line)), 0, said.join('\n'));
  for (const node of nodes) assert.match(said.at(-1) ?? '', new RegExp(`^${node} +\\S+ +runs +5 `, 'm'));
  await draftSet('cluster.drainSeconds', '3', theirs!);
  await assert.rejects(draftCommit(theirs!, () => undefined), /somebody else was first: version 5 by mine at .*Nothing was published/);
  assert.equal((await present()).number, '5');
  await sessionGoesOn();
});

test('while the directory is away nodes go on, nothing can be published, and a node that was away starts with what it kept; then it catches up', async () => {
  await home.cluster.stopNode('be2');
  for (const seconds of [3, 2]) {
    const { code, output } = await home.publish(home.yaml.replace('drainSeconds: 5', `drainSeconds: ${String(seconds)}`));
    assert.equal(code, 0, output);
    assert.match(output, /^be2 +backend +away/m);
  }
  await home.cluster.stopDirectory();
  const failed = await home.publish(home.yaml);
  assert.equal(failed.code, 1);
  assert.match(failed.complaint, /directory can't be reached/);
  await sessionGoesOn();
  await home.cluster.startNode('be2');
  await home.until('be2 runs what it kept', ({ be2 }) => be2?.state?.running.number === 5);
  await home.until('they say that the directory is away', ({ fe1, be1, be2 }) => [fe1, be1, be2].every((one) => /can't be read/.test(one?.state?.directory ?? '')));
  await home.cluster.startDirectory();
  await home.until('all run version 7', ({ fe1, be1, be2 }) => [fe1, be1, be2].every((one) => one?.state?.running.number === 7 && one.state.directory === undefined));
  await sessionGoesOn();
});

test('what needs a restart waits for it, is named, and is put to use by node restart, which drains first', async () => {
  const text = home.yaml.replace('directories: [be1/storage1,', 'directories: [be1/storage3, be1/storage1,');
  assert.notEqual(text, home.yaml);
  const published = await home.publish(text);
  assert.equal(published.code, 0, published.output + published.complaint);
  assert.match(published.output, /^be1: storage\.directories only after "waybill node restart be1"$/m);
  assert.match(published.output, /^be1 +backend +runs +8 .* needs a restart for storage\.directories$/m);
  const folder = path.join(home.cluster.folder, 'be1', 'storage3');
  assert.equal(fs.existsSync(folder), false);
  await sessionGoesOn();
  const restarted = await runCommand(home.cluster, ['node', 'restart', 'be1', '--wait-seconds', '1']);
  assert.equal(restarted.code, 0, restarted.complaint);
  assert.match(restarted.output, /^be1 runs again since .*, version 8$/m);
  assert.ok(fs.existsSync(folder));
  await session.dialogue.expect(/^\* BYE /);
  assert.match((await home.config('status')).output, /^be1 +backend +runs +8 +\S+$/m);
  const again = await ImapSession.logIn(home.cluster, { node: 'fe1', user: 'alice' });
  await again.ok('SELECT INBOX');
  again.close();
});
