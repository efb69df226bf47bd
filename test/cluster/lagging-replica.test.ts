/** Nodes that ask a replica which lags behind: whatever it says, users see their own mailbox, never an empty or a second one without an alarm. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { replaceConnector } from '../harness/cluster-connector.ts';
import { runCommand } from '../harness/command.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { newMessage } from '../harness/messages.ts';
import { directoryLdif } from '../harness/people.ts';
import { startReplicatedSlapd } from '../harness/replicated-slapd.ts';
import type { ReplicatedSlapd } from '../harness/replicated-slapd.ts';
import { slapdBase } from '../harness/slapd.ts';
import { deliver } from '../harness/smtp-session.ts';

let cluster: Cluster;
let both: ReplicatedSlapd;

before(async () => {
  both = await startReplicatedSlapd({ ldif: directoryLdif(['moved', 'newcomer', 'fresh'].map((name) => ({ name, mailHost: 'be1' }))) });
  cluster = await startCluster({ nodes: [] });
  fs.writeFileSync(path.join(cluster.folder, 'secrets', 'slapd'), `${slapdBase.adminPassword}\n`);
  replaceConnector(cluster, [
    `uris: ["${both.replica.uri}"]`, `bindDn: "${slapdBase.adminDn}"`, 'bindPassword: { file: secrets/slapd }', `searchBase: ${slapdBase.baseDn}`,
    `write: { uri: "${both.provider.uri}", bindDn: "${slapdBase.adminDn}", bindPassword: { file: secrets/slapd } }`,
  ]);
  await Promise.all((['be1', 'be2', 'fe1'] as const).map(async (node) => cluster.startNode(node)));
});
after(async () => {
  await cluster.stop();
  await both.stop();
});

async function deliverTo(user: string): Promise<string> {
  const { subject, bytes } = newMessage();
  assert.match(await deliver(cluster, 'fe1', { from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^250 /);
  return subject;
}

async function seesAll(user: string, subjects: readonly string[]): Promise<void> {
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
  for (const subject of subjects) await imap.findSoon(subject);
}

async function findings(user: string): Promise<readonly string[]> {
  const { output, complaint } = await runCommand(cluster, ['map', 'check', '--json']);
  assert.notEqual(output, '', complaint);
  return (JSON.parse(output) as { findings: { kind: string; address?: string }[] }).findings.filter(({ address }) => address === `${user}@example.com`).map(({ kind }) => kind);
}

/** Waits until the replica names that host. */
async function replicaNames(user: string, host: string): Promise<void> {
  for (const deadline = Date.now() + 45_000; Date.now() < deadline; await sleep(50)) {
    const { output } = await runTool('ldapsearch', { uri: both.replica.uri, parameters: ['-LLL', '-b', slapdBase.baseDn, `(uid=${user})`, 'mailHost'] });
    if (output.includes(`mailHost: ${host}\n`)) return;
  }
  throw new Error('the replica does not catch up');
}

const setHost = async (user: string, host: string): Promise<void> => both.change(`dn: uid=${user},ou=people,${slapdBase.baseDn}\nchangetype: modify\nreplace: mailHost\nmailHost: ${host}\n`);

test('an account that was moved while the replica lags is found where it is', async () => {
  const before = await deliverTo('moved');
  await seesAll('moved', [before]);
  both.lag();
  const moved = await runCommand(cluster, ['account', 'move', 'moved@example.com', 'be2']);
  assert.equal(moved.code, 0, moved.output + moved.complaint);
  const meanwhile = await deliverTo('moved');
  await seesAll('moved', [before, meanwhile]);
  both.catchUp();
  await replicaNames('moved', 'be2');
  await seesAll('moved', [before, meanwhile, await deliverTo('moved')]);
  assert.deepEqual(await findings('moved'), []);
});

test('a mailbox made where an old answer named raises an alarm when the replica has caught up, and is brought together with the other', async () => {
  both.lag();
  await setHost('newcomer', 'be2');
  const first = await deliverTo('newcomer');
  await seesAll('newcomer', [first]);
  both.catchUp();
  await replicaNames('newcomer', 'be2');
  await seesAll('newcomer', []); // at be2, which the directory names now
  assert.deepEqual(await findings('newcomer'), ['held-twice']);
  assert.match(cluster.log('be2'), /"alert":"mail-left-behind","account":"newcomer@example.com","holders":\["be1"\]/);
  const moved = await runCommand(cluster, ['account', 'move', 'newcomer@example.com', 'be2', '--from', 'be1']);
  assert.equal(moved.code, 0, moved.output + moved.complaint);
  await seesAll('newcomer', [first]);
  assert.deepEqual(await findings('newcomer'), []);
});

test('while the only replica is paused nobody is refused for good, and afterwards all is as before', async () => {
  const first = await deliverTo('fresh');
  process.kill(both.replica.pid, 'SIGSTOP');
  try {
    const imap = await ImapSession.connect(cluster, 'fe1');
    assert.match((await imap.run(`LOGIN newcomer-unseen ${cluster.password}`)).completion, /^NO \[UNAVAILABLE\]/);
    const { bytes } = newMessage();
    assert.match(await deliver(cluster, 'fe1', { from: 'sender@example.net', to: ['unseen@example.com'], bytes }), /^451 4\.4\.3/);
  } finally {
    process.kill(both.replica.pid, 'SIGCONT');
  }
  await seesAll('fresh', [first]);
});
