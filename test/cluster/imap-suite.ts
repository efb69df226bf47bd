/** IMAP on 143 and 993 of either front-end: what a mail program does all day. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { ImapFlow } from 'imapflow';
import { readFileSync } from 'node:fs';
import { frontendNames } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { run } from '../harness/programs.ts';
import { deliver } from '../harness/smtp-session.ts';

const homes = [['alice', 'be1'], ['bob', 'be2']] as const;

export function imapSuite(cluster: () => Cluster): void {
  for (const node of frontendNames) {
    describe(`IMAP through ${node}`, () => {
      logins(cluster, node);
      dailyWork(cluster, node);
      news(cluster, node);
      if (node === 'fe1') sharing(cluster, node);
      programs(cluster, node);
    });
  }
}

function logins(cluster: () => Cluster, node: NodeName): void {
  for (const [user, home] of homes) {
    for (const service of ['imap', 'imaps'] as const) {
      test(`${user} logs in on ${service} and lands on ${home}`, async () => {
        const imap = await ImapSession.logIn(cluster(), { node, user, service });
        await imap.ok('SELECT INBOX');
        await logLine(cluster(), node, [`"account":"${user}@example.com","node":"${home}"`]);
        imap.close();
      });
    }
  }

  test('AUTHENTICATE PLAIN and LOGIN work, also with the whole address', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const plain = await ImapSession.connect(cluster(), node);
    await plain.ok(`AUTHENTICATE PLAIN ${base64(`\0Bob@Example.COM\0${cluster().password}`)}`);
    plain.close();
    const login = await ImapSession.connect(cluster(), node);
    login.dialogue.say('a AUTHENTICATE LOGIN');
    for (const answer of ['bob', cluster().password]) {
      await login.dialogue.expect(/^\+ /);
      login.dialogue.say(base64(answer));
    }
    await login.dialogue.expect(/^a OK/);
    login.close();
  });

  test('a wrong password and an unknown user are refused in the same words, a password in the clear is not taken', async () => {
    const imap = await ImapSession.connect(cluster(), node);
    const wrong = await imap.run('LOGIN alice wrong');
    assert.match(wrong.completion, /^NO \[AUTHENTICATIONFAILED\] /);
    assert.equal((await imap.run('LOGIN nobody wrong')).completion, wrong.completion);
    imap.close();
    const clear = await Dialogue.connect({ port: cluster().port(node, 'imap') });
    await clear.expect(/^\* OK .*LOGINDISABLED/);
    clear.say(`a LOGIN alice ${cluster().password}`);
    await clear.expect(/^a NO \[PRIVACYREQUIRED\] /);
    clear.close();
  });
}

function dailyWork(cluster: () => Cluster, node: NodeName): void {
  for (const [user, home] of homes) {
    test(`a message on ${home} is listed, read, flagged, copied, moved and deleted`, async () => {
      const imap = await ImapSession.logIn(cluster(), { node, user });
      const { untagged } = await imap.ok('LIST "" *');
      const names = untagged.map(({ text }) => text);
      for (const [use, name] of [['Sent', 'Sent'], ['Trash', 'Trash'], ['Drafts', 'Drafts'], ['Junk', 'Junk']] as const) {
        assert.ok(names.some((line) => line.includes(`\\${use}`) && line.includes(name)), names.join('\n'));
      }
      const { subject, bytes } = newMessage({ to: `${user}@example.com` });
      await imap.append('INBOX', bytes);
      const [uid] = await imap.findSoon(subject);
      assert.ok((await imap.messages(String(uid))).get(uid ?? 0)?.equals(bytes));
      await imap.ok(`UID STORE ${String(uid)} +FLAGS (\\Flagged $Label1)`);
      const flags = await imap.ok(`UID FETCH ${String(uid)} (FLAGS ENVELOPE BODYSTRUCTURE)`);
      assert.match(flags.untagged.map(({ text }) => text).join('\n'), /\\Flagged.*\$Label1|\$Label1.*\\Flagged/);
      await moveAndDelete(imap, { subject, uid: uid ?? 0 });
      imap.close();
    });
  }
}

/** Alice lives on be1, bob on be2; each way once. */
function sharing(cluster: () => Cluster, node: NodeName): void {
  for (const [[owner, home], [guest]] of [[homes[0], homes[1]], [homes[1], homes[0]]] as const) {
    test(`${guest} reads and adds to a folder that ${owner} on ${home} shares, until it is taken back`, async () => {
      const [theirs, ours] = await Promise.all([owner, guest].map(async (user) => ImapSession.logIn(cluster(), { node, user })));
      assert.ok(theirs !== undefined && ours !== undefined);
      const { subject, bytes } = newMessage({ to: `${owner}@example.com` });
      const name = `Other Users/${owner}@example.com/Shared-${subject}`;
      await theirs.ok(`CREATE Shared-${subject}`);
      await theirs.append(`Shared-${subject}`, bytes);
      await theirs.ok(`SETACL Shared-${subject} ${guest} lrsi`);
      await ours.ok(`SELECT "${name}"`);
      const { untagged } = await ours.ok('FETCH 1 (BODY[])');
      assert.ok(untagged.some(({ literals }) => literals[0]?.equals(bytes)));
      await ours.append(`"${name}"`, bytes);
      await ours.ok('UID COPY 1 INBOX');
      const deadline = Date.now() + 20_000; // what another node said is remembered for seconds
      let listed = '';
      do listed = (await ours.ok('LIST "" "Other Users/*"')).untagged.map(({ text }) => text).join('\n');
      while (!listed.includes(name) && Date.now() < deadline);
      assert.ok(listed.includes(name), listed);
      assert.match((await ours.run('STORE 1 +FLAGS (\\Deleted)')).completion, /^NO \[NOPERM\]/);
      await theirs.ok(`DELETEACL Shared-${subject} ${guest}`);
      assert.match((await ours.run('FETCH 1 BODY.PEEK[]')).completion, /^NO/);
      assert.match((await ours.run(`SELECT "${name}"`)).completion, /^NO \[NONEXISTENT\]/);
      assert.equal((await ours.find(subject)).length, 1);
      await theirs.ok(`DELETE Shared-${subject}`);
      theirs.close();
      ours.close();
    });
  }
}

async function moveAndDelete(imap: ImapSession, { subject, uid }: { readonly subject: string; readonly uid: number }): Promise<void> {
  const folder = `Work-${subject}`;
  await imap.ok(`CREATE ${folder}`);
  await imap.ok(`UID COPY ${String(uid)} Trash`);
  await imap.ok(`UID MOVE ${String(uid)} ${folder}`);
  assert.deepEqual(await imap.find(subject), []);
  const [moved] = await imap.find(subject, folder);
  const { untagged } = await imap.ok(`UID FETCH ${String(moved)} FLAGS`);
  assert.match(untagged.map(({ text }) => text).join('\n'), /\\Flagged/);
  await imap.ok(`UID STORE ${String(moved)} +FLAGS.SILENT (\\Deleted)`);
  await imap.ok(`UID EXPUNGE ${String(moved)}`);
  assert.deepEqual(await imap.search('ALL'), []);
  await imap.ok('CLOSE');
  await imap.ok(`DELETE ${folder}`);
  assert.equal((await imap.find(subject, 'Trash')).length, 1);
}

function news(cluster: () => Cluster, node: NodeName): void {
  for (const [user, home] of homes) {
    test(`IDLE on ${home} hears of a message from outside within a second`, async () => {
      const imap = await ImapSession.logIn(cluster(), { node, user });
      await imap.ok('SELECT INBOX');
      imap.dialogue.say('i IDLE');
      await imap.dialogue.expect(/^\+ /);
      const heard = imap.dialogue.until(/^\* \d+ EXISTS$/).then(() => performance.now());
      const other = node === 'fe1' ? 'fe2' : 'fe1';
      assert.match(await deliver(cluster(), other, { from: 'sender@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes }), /^250 /);
      const answered = performance.now();
      assert.ok((await heard) - answered < 1000);
      imap.dialogue.say('DONE');
      await imap.dialogue.until(/^i OK/);
      imap.close();
    });
  }
}

function programs(cluster: () => Cluster, node: NodeName): void {
  for (const service of ['imap', 'imaps'] as const) {
    test(`imapflow, which checks the certificate, works on ${service}`, async () => {
      const client = new ImapFlow({
        host: '127.0.0.1', port: cluster().port(node, service), secure: service === 'imaps', doSTARTTLS: service === 'imap',
        tls: { ca: readFileSync(cluster().authorityFile) }, auth: { user: 'dave', pass: cluster().password }, logger: false,
      });
      await client.connect();
      const { subject, bytes } = newMessage();
      await client.append('INBOX', bytes, ['\\Seen']);
      await client.mailboxOpen('INBOX');
      const found = await client.search({ subject }, { uid: true });
      assert.ok(Array.isArray(found) && found.length === 1);
      const message = await client.fetchOne(String(found[0]), { source: true, envelope: true, bodyStructure: true }, { uid: true });
      assert.ok(message !== false && message.envelope?.subject === subject && message.source?.equals(bytes));
      await client.messageMove(String(found[0]), 'Trash', { uid: true });
      assert.deepEqual(await client.search({ subject }, { uid: true }), []);
      await client.logout();
    });
  }

  test('curl imaps:// lists, searches and fetches, and checks the certificate', async () => {
    const { subject, bytes } = newMessage();
    await deliver(cluster(), node, { from: 'sender@example.net', to: ['heidi@example.com'], bytes });
    const url = `imaps://127.0.0.1:${String(cluster().port(node, 'imaps'))}`;
    const curl = async (...words: string[]): Promise<string> => {
      const result = await run('curl', ['-sS', '--cacert', cluster().authorityFile, '--user', `heidi:${cluster().password}`, ...words]);
      assert.equal(result.code, 0, result.complaint);
      return result.output;
    };
    assert.match(await curl(url), /LIST .*INBOX/);
    const uid = /SEARCH (\d+)/.exec(await curl(`${url}/INBOX`, '--request', `UID SEARCH HEADER Subject ${subject}`))?.[1];
    assert.ok((await curl(`${url}/INBOX;UID=${String(uid)}`)).endsWith(bytes.toString('latin1')));
  });
}
