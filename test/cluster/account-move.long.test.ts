/** Accounts move between running nodes while clients and senders are at work, while nodes are killed, and after hand-made changes of the directory. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { runCommand } from '../harness/command.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { DeliveryStream, checkLedger } from '../harness/delivery-stream.ts';
import { addPerson, setMailHost } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { newMessage } from '../harness/messages.ts';
import { mapFindings, moveAccount, sendTo } from '../harness/moving.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SteadyClient } from '../harness/steady-client.ts';
import { WebClient } from '../harness/web-client.ts';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});
after(async () => cluster.stop());

async function move(user: string, node: string, ...more: string[]): Promise<CommandOutcome> {
  return moveAccount(cluster, user, node, ...more);
}

/** The same until it is done, as an administrator would while nodes come back. */
async function moveAtLast(user: string, node: string): Promise<void> {
  let outcome = await move(user, node);
  for (const deadline = Date.now() + 60_000; outcome.code !== 0 && Date.now() < deadline; outcome = await move(user, node)) await sleep(300);
  assert.equal(outcome.code, 0, outcome.output + outcome.complaint);
}

async function send(node: NodeName, user: string): Promise<string> {
  return sendTo(cluster, node, user);
}

/** Mail in many mailboxes, with flags, keywords, gaps, copies, subscriptions. */
async function furnish(user: string): Promise<void> {
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
  for (const name of ['Projects', 'Projects/2026', 'Projects/2026/Q1', 'Lists', '"Caf&AOk-"', 'Empty']) await imap.ok(`CREATE ${name}`);
  await imap.ok('SUBSCRIBE Projects/2026/Q1');
  for (let n = 0; n < 12; n += 1) await imap.append(n % 2 === 0 ? 'INBOX' : 'Projects/2026', newMessage({ text: 'x'.repeat(n * 3000) }).bytes);
  await imap.ok('SELECT INBOX');
  await imap.ok('UID STORE 1:2 +FLAGS (\\Answered $Forwarded Urgent)');
  await imap.ok('UID COPY 1:4 Projects/2026/Q1');
  await imap.ok('UID STORE 3 +FLAGS (\\Deleted)');
  await imap.ok('EXPUNGE');
  await imap.ok('UID MOVE 5 Lists');
  imap.close();
}

/** All that an IMAP client can see of all mailboxes; of INBOX what it had in the beginning. */
async function seen(user: string, inboxUpTo: string): Promise<Map<string, string[]>> {
  const imap = await ImapSession.logIn(cluster, { node: 'fe2', user });
  const { untagged } = await imap.ok('LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE)');
  const lines = new Map([['LIST', untagged.map(({ text }) => text).toSorted()]]);
  for (const { text } of untagged) {
    const name = /"\/" (.+)$/.exec(text)?.[1] ?? '';
    const isInbox = name.replaceAll('"', '') === 'INBOX';
    const status = await imap.ok(`STATUS ${name} (UIDVALIDITY MAILBOXID${isInbox ? '' : ' UIDNEXT MESSAGES UNSEEN HIGHESTMODSEQ SIZE'})`);
    await imap.ok(`EXAMINE ${name}`);
    const rows = await imap.ok(`UID FETCH ${isInbox ? inboxUpTo : '1:*'} (UID FLAGS INTERNALDATE RFC822.SIZE EMAILID THREADID MODSEQ BODY.PEEK[])`);
    // What comes to INBOX meanwhile makes its HIGHESTMODSEQ grow, which FETCH of MODSEQ tells (RFC 7162 section 3.1); STATUS tells it of the others.
    const told = rows.untagged.filter(({ text }) => !text.startsWith('* OK [HIGHESTMODSEQ '));
    lines.set(name, [...status.untagged, ...told].map((line) => `${line.text} ${String(line.literals[0]?.toString('latin1'))}`));
  }
  imap.close();
  return lines;
}

async function uidList(user: string): Promise<string[]> {
  const pop3 = await Pop3Session.logIn(cluster, { node: 'fe1', user });
  const lines = await pop3.lines('UIDL');
  await pop3.ok('QUIT');
  return lines;
}

test('moved there and back and there again in use: nothing lost, nothing twice, everything as it was, and a short pause', { timeout: 120_000 }, async (t) => {
  await furnish('alice');
  const last = (await uidList('alice')).at(-1)?.split('.')[1] ?? '';
  const before = { mail: await seen('alice', `1:${last}`), uidl: await uidList('alice') };
  const stream = new DeliveryStream(cluster, [['alice'], ['bob', 'alice'], ['alice', 'carol']], { clients: 3, append: 'yes' });
  let idling: ImapSession | undefined;
  let goodbyes = 0;
  let signedOut = 0;
  const idler = new SteadyClient(async () => {
    idling = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    await idling.ok('SELECT INBOX');
    idling.dialogue.say('i IDLE');
    const [said] = await idling.dialogue.until(/^\* BYE .*|^i OK/);
    if (said.startsWith('* BYE')) goodbyes += 1;
  }, { pauseMs: 0, patienceMs: 20_000 });
  const reader = new SteadyClient(async () => {
    const imap = await ImapSession.logIn(cluster, { node: 'fe2', user: 'alice' });
    await imap.ok('SELECT INBOX');
    await imap.ok(`UID STORE ${last} FLAGS (\\Seen)`).finally(() => imap.close());
  }, { pauseMs: 5, patienceMs: 20_000 });
  const popper = new SteadyClient(async () => void await uidList('alice'), { pauseMs: 20, patienceMs: 20_000 });
  const page = new WebClient();
  const site = `https://127.0.0.1:${String(cluster.port('fe1', 'https'))}`;
  assert.equal((await page.post(`${site}/api/sign-in`, { name: 'alice', password: cluster.password })).status, 200);
  const browser = new SteadyClient(async () => {
    const { status, kind } = await page.ask(`${site}/api/mailboxes`);
    if (status === 401 || kind === 'signed-out') signedOut += 1;
    assert.equal(status, 200, kind);
  }, { pauseMs: 20, patienceMs: 20_000 });
  for (const node of ['be2', 'be1', 'be2']) {
    await sleep(1500);
    const { code, output, complaint } = await move('alice', node);
    assert.equal(code, 0, output + complaint);
  }
  await sleep(500);
  await Promise.all([stream.stop(), reader.stop(), popper.stop(), browser.stop()]);
  idling?.dialogue.say('DONE');
  await idler.stop();
  t.diagnostic(`login+select+store while moving: ${String(reader.turns.length)} turns, p50 ${String(reader.quantile(0.5))} ms, p99 ${String(reader.quantile(0.99))} ms, longest ${String(reader.quantile(1))} ms; POP3 p99 ${String(popper.quantile(0.99))} ms, longest ${String(popper.quantile(1))} ms; WebMail ${String(browser.turns.length)} requests, longest ${String(browser.quantile(1))} ms, ${String(browser.turns.filter(({ tries }) => tries > 1).length)} of them tried again`);
  t.diagnostic(`${String(stream.acknowledged.size)} messages acknowledged, ${String(stream.failedTries)} tries put off; BYE in IDLE ${String(goodbyes)} times`);
  assert.deepEqual([reader.failures, popper.failures, idler.failures, browser.failures, stream.refused, signedOut], [[], [], [], [], [], 0]);
  assert.ok(goodbyes >= 3 && stream.acknowledged.size > 30);
  assert.ok(reader.quantile(1) < 3000, 'a client waited for longer than 3 s');
  await checkLedger(cluster, 'fe1', { stream, users: ['alice'] });
  assert.deepEqual((await uidList('alice')).slice(0, before.uidl.length), before.uidl);
  const now = await seen('alice', `1:${last}`);
  // The reader's own message changes its flags; all others are as they were.
  const without = (lines: string[] = []): string[] => lines.filter((line) => !line.includes(`UID ${last} `));
  for (const [name, lines] of before.mail) assert.deepEqual(without(now.get(name)), without(lines), name);
});

type Victim = 'target' | 'source' | 'command';
const kills: readonly (readonly [step: string, victim: Victim])[] = [
  ['copy', 'target'], ['hold', 'source'], ['ready', 'target'], ['hold', 'command'], ['seal', 'source'], ['activate', 'target'],
];

test('source, target or command killed on the way: run again it is finished, with one owner and all mail once', { timeout: 400_000 }, async () => {
  const user = 'erin';
  await furnish(user);
  const last = (await uidList(user)).at(-1)?.split('.')[1] ?? '';
  const before = await seen(user, `1:${last}`);
  const subjects: string[] = [];
  let [source, target]: ['be1' | 'be2', 'be1' | 'be2'] = ['be1', 'be2'];
  for (const [step, victim] of kills) {
    subjects.push(await send('fe1', user));
    const struck = victim === 'target' ? target : source;
    let killing: Promise<void> | undefined;
    await runCommand(cluster, ['account', 'move', user, target, '--json'], (line, child) => {
      if (killing !== undefined || (JSON.parse(line) as { step: string }).step !== step) return;
      killing = victim === 'command' ? Promise.resolve(void child.kill('SIGKILL')) : cluster.kill(struck).then(async () => cluster.startNode(struck));
    });
    assert.ok(killing !== undefined, `the move never came to ${step}`);
    await killing;
    await moveAtLast(user, target);
    for (const subject of subjects) {
      const imap = await ImapSession.logIn(cluster, { node: 'fe2', user });
      await imap.findSoon(subject);
      imap.close();
    }
    assert.deepEqual((await mapFindings(cluster)).filter(({ address }) => address === `${user}@example.com`), [], `${victim} killed at ${step}`);
    [source, target] = [target, source];
  }
  const now = await seen(user, `1:${last}`);
  for (const [name, lines] of before) assert.deepEqual(now.get(name), lines, name);
});

test('a target killed about the time of the seal: there is one owner again without anybody\'s doing', { timeout: 60_000 }, async (t) => {
  const subject = await send('fe1', 'frank');
  let killing: Promise<void> | undefined;
  await runCommand(cluster, ['account', 'move', 'frank', 'be1', '--json'], (line) => {
    if ((JSON.parse(line) as { step: string }).step === 'seal') killing ??= cluster.kill('be1');
  });
  await killing;
  await cluster.startNode('be1');
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { output } = await runCommand(cluster, ['account', 'show', 'frank', '--json']);
    const { records } = JSON.parse(output) as { records: Record<string, { at: string; standing?: string }> };
    const owners = Object.entries(records).filter(([, { at }]) => at === 'live');
    assert.ok(owners.length <= 1, output);
    if (owners[0]?.[1].standing === 'live') {
      t.diagnostic(`owned by ${owners[0][0]}`);
      break;
    }
    assert.ok(Date.now() < deadline, output);
    await sleep(200);
  }
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: 'frank' });
  await imap.findSoon(subject);
  imap.close();
});

test('a front-end with a stale route follows the tombstone once, and knows the way from then on', { timeout: 60_000 }, async () => {
  const route = async (): Promise<string> => (await runCommand(cluster, ['map', 'show', 'grace', '--node', 'fe2'])).output;
  const subjects = [await send('fe2', 'grace')];
  const { code, output, complaint } = await move('grace', 'be2');
  assert.equal(code, 0, output + complaint);
  assert.match(await route(), /^node +be1 [^]*cache/m);
  subjects.push(await send('fe2', 'grace')); // taken at the first try
  assert.match(await route(), /^node +be2 /m);
  subjects.push(await send('fe2', 'grace'));
  const imap = await ImapSession.logIn(cluster, { node: 'fe2', user: 'grace' });
  for (const subject of subjects) await imap.findSoon(subject);
  imap.close();
});

test('mailHost changed by hand: a referral where the account had moved, an alarm where mail is left behind, which is then brought over once', { timeout: 60_000 }, async () => {
  await setMailHost(cluster, 'grace', 'be1'); // she lives on be2; be1 has her tombstone
  const kept = await send('fe1', 'grace');
  const grace = await ImapSession.logIn(cluster, { node: 'fe1', user: 'grace' });
  await grace.findSoon(kept);
  grace.close();
  assert.equal(cluster.log('fe1').split('\n').filter((line) => line.includes('referred to another back-end') && line.includes('grace@')).length, 1);
  const user = await addPerson(cluster, 'be1');
  const old = [await send('fe1', user), await send('fe1', user)];
  await setMailHost(cluster, user, 'be2');
  await sleep(100);
  const { output } = await runCommand(cluster, ['map', 'check', '--json']);
  assert.match(output, new RegExp(`"held-elsewhere","address":"grace@example.com"`));
  assert.match(output, new RegExp(`"held-elsewhere","address":"${user}@example.com"`));
  const direct = await ImapSession.logIn(cluster, { node: 'fe2', user }); // fe2 may not have heard of be1 yet
  direct.close();
  const fresh = await newMailboxAt(user);
  assert.match(cluster.log('be2'), new RegExp(`mail-left-behind.*${user}@`));
  assert.ok((await mapFindings(cluster)).some(({ kind, address }) => kind === 'held-twice' && address === `${user}@example.com`));
  assert.equal((await move(user, 'be2')).code, 1); // it says that --from is needed
  for (let run = 0; run < 2; run += 1) {
    const { code, output: said, complaint } = run === 0 ? await move(user, 'be2', '--from', 'be1') : await move(user, 'be2');
    assert.equal(code, 0, said + complaint);
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
    for (const subject of [...old, fresh]) await imap.findSoon(subject);
    imap.close();
  }
  assert.deepEqual((await mapFindings(cluster)).filter(({ address }) => address === `${user}@example.com`), []);
  assert.equal((await move('grace', 'be2')).code, 0); // puts mailHost right
});

/** Delivers until the new mailbox has it. */
async function newMailboxAt(user: string): Promise<string> {
  const subject = await send('fe2', user);
  const imap = await ImapSession.logIn(cluster, { node: 'fe2', user });
  await imap.findSoon(subject);
  imap.close();
  return subject;
}

test('without the right to write, the command says what ldapmodify is to be given; everybody is served meanwhile', { timeout: 60_000 }, async () => {
  fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace(/^ +write: .*\n/m, ''));
  await Promise.all((['be1', 'be2'] as const).map(async (node) => {
    const count = (): number => cluster.log(node).split('runs the new configuration').length;
    for (const [before, deadline] = [count(), Date.now() + 20_000]; count() === before && Date.now() < deadline;) await sleep(100);
  }));
  const subject = await send('fe1', 'heidi');
  const { code, output } = await runCommand(cluster, ['account', 'move', 'heidi', 'be1']);
  assert.equal(code, 2, output);
  const ldif = /<<END\n([^]*?)\nEND/.exec(output)?.[1] ?? '';
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: 'heidi' });
  await imap.findSoon(subject);
  imap.close();
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const { code: modified, complaint } = await runTool('ldapmodify', { uri, as: [adminDn, adminPassword], input: `${ldif}\n` });
  assert.equal(modified, 0, complaint);
  assert.equal((await move('heidi', 'be1')).code, 0);
});
