/** Programs that people read their mail with, through a front-end of one running cluster: what they do, that a second time changes nothing, and that nobody complains. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCluster } from '../../harness/cluster.ts';
import type { Cluster } from '../../harness/cluster.ts';
import { addPerson } from '../../harness/demo-people.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import { newMessage } from '../../harness/messages.ts';
import { run } from '../../harness/programs.ts';
import type { ProgramResult } from '../../harness/programs.ts';
import { oddMailSuite } from './odd-mail-suite.ts';
import { pop3FrontEndSuite } from './pop3-front-end-suite.ts';
import { fetchmailSettings, getmailSettings, mbsyncSettings, muttSettings } from './settings.ts';
import type { Person } from './settings.ts';

let cluster: Cluster;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-programs-'));
  cluster = await startCluster({
    nodes: ['be1', 'be2', 'fe1'],
    changeConfig: (yaml) => withPop3(withPop3(yaml.replace(/\n {2}(be\d):\n/g, '\n  $1:\n    workers: 2\n'), 'be1', 'exclusiveLock: true'), 'be2', 'loginDelaySeconds: 3000, expireDays: 60'),
  });
});
after(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A node's POP3 with further parameters. */
function withPop3(yaml: string, node: string, parameters: string): string {
  const changed = yaml.replace(new RegExp(`(\\n {2}${node}:\\n[^]*?\\n {6}pop3:\\n)`), `$1${parameters.split(', ').map((parameter) => `        ${parameter}\n`).join('')}`);
  assert.notEqual(changed, yaml);
  return changed;
}

async function newPerson(): Promise<Person> {
  return { cluster, user: await addPerson(cluster, 'be1'), home: mkdtempSync(join(folder, 'home-')) };
}

/** Runs a program with a home of its own. */
/** Status of `timeout` when the time is over. */
const timedOut = 124;

async function start({ home }: Person, program: string, ...words: readonly string[]): Promise<ProgramResult> {
  return run('env', ['-i', `PATH=${process.env['PATH'] ?? ''}`, `HOME=${home}`, 'TERM=xterm', 'LANG=C.UTF-8', program, ...words]);
}

/** The person's messages in INBOX, in an IMAP session of ours. */
async function fill({ user }: Person, ...subjects: readonly string[]): Promise<ImapSession> {
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
  for (const subject of subjects) await imap.append('INBOX', Buffer.from(newMessage().bytes.toString().replace(/about-[\w-]+/, subject)));
  await imap.ok('SELECT INBOX');
  return imap;
}

/** Without \Recent, which no program sets. */
async function flagsOf(imap: ImapSession): Promise<string[]> {
  await imap.ok('NOOP');
  const { untagged } = await imap.ok('FETCH 1:* (FLAGS)');
  return untagged.map(({ text }) => /FLAGS \((?:\\Recent ?)?([^)]*)\)/.exec(text)?.[1] ?? '');
}

async function statusOf(imap: ImapSession, mailbox: string): Promise<string> {
  const { untagged } = await imap.ok(`STATUS ${mailbox} (MESSAGES UNSEEN UIDNEXT HIGHESTMODSEQ)`);
  return untagged.map(({ text }) => text).join('\n');
}

/** All files below a folder that hold mail, by name. */
function mailFiles(home: string): string[] {
  return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => /\/(?:cur|new)\/[^/]+$/.test(name)).toSorted();
}

test('mbsync carries all both ways, and its second run changes nothing on either side', { timeout: 120_000 }, async () => {
  const person = await newPerson();
  const imap = await fill(person, 'first', 'second', 'third');
  await imap.ok('CREATE Work');
  await imap.append('Work', newMessage().bytes);
  const settings = mbsyncSettings(person);
  const sync = async (): Promise<void> => {
    const { code, complaint } = await start(person, 'mbsync', '-c', settings, '-a');
    assert.equal(code, 0, complaint);
    assert.doesNotMatch(complaint, /error|warning/i);
  };
  await sync();
  assert.equal(mailFiles(person.home).length, 4);
  // Here one is read and one written, there one is deleted and one flagged.
  const inbox = join(person.home, 'mail', 'INBOX');
  const [first = ''] = readdirSync(join(inbox, 'new')).toSorted().map((name) => name);
  renameSync(join(inbox, 'new', first), join(inbox, 'cur', `${first.replace(/:2,.*/, '')}:2,S`));
  writeFileSync(join(person.home, 'mail', 'Work', 'new', '1234.written.here'), newMessage().bytes.toString().replaceAll('\r\n', '\n'));
  await imap.ok('STORE 2 +FLAGS (\\Deleted)');
  await imap.ok('STORE 3 +FLAGS (\\Flagged)');
  await imap.ok('EXPUNGE');
  await sync();
  assert.deepEqual((await flagsOf(imap)).toSorted(), ['\\Flagged', '\\Seen']);
  assert.match(await statusOf(imap, 'Work'), /MESSAGES 2 /);
  const state = async (): Promise<unknown> => [mailFiles(person.home), await statusOf(imap, 'INBOX'), await statusOf(imap, 'Work')];
  const settled = await state();
  assert.equal(mailFiles(person.home).length, 4);
  await sync();
  assert.deepEqual(await state(), settled);
  imap.close();
});

test('mutt reads a message, flags another, deletes a third and saves a draft', { timeout: 120_000 }, async () => {
  const person = await newPerson();
  const imap = await fill(person, 'first', 'second', 'third');
  const keys = [
    '<first-entry><display-message><exit>', '<next-entry><flag-message>', '<last-entry><delete-message><sync-mailbox>',
    '<mail>bob@example.com<enter>A draft of mutt<enter><postpone-message>', '<quit>',
  ].join('');
  const { code, output, complaint } = await start(person, 'script', '--quiet', '--return', '--command', `mutt -n -F ${muttSettings(person, keys)}`, join(person.home, 'typescript'));
  assert.equal(code, 0, output + complaint);
  assert.deepEqual((await flagsOf(imap)).toSorted(), ['\\Flagged', '\\Seen']);
  await imap.ok('SELECT Drafts');
  const { untagged } = await imap.ok('FETCH 1:* (FLAGS BODY.PEEK[])');
  const draft = untagged.map(({ literals }) => String(literals[0])).join('');
  assert.match(draft, /Subject: A draft of mutt\r\n/);
  assert.match(draft, /Written by an editor\./);
  imap.close();
});

for (const protocol of ['pop3', 'imap'] as const) {
  test(`fetchmail fetches by ${protocol} what is new, and once`, { timeout: 120_000 }, async () => {
    const person = await newPerson();
    const imap = await fill(person, 'first', 'second');
    const settings = fetchmailSettings(person, protocol);
    const fetch = async (): Promise<ProgramResult> => start(person, 'fetchmail', '-v', '--nodetach', '-f', settings, '--pidfile', join(person.home, 'pid'));
    const first = await fetch();
    assert.equal(first.code, 0, first.output + first.complaint);
    assert.doesNotMatch((first.output + first.complaint).replace('WARNING: Running as root', ''), /warning|mismatch|protocol error/i);
    const fetched = (): string => readFileSync(join(person.home, `fetched-${protocol}`), 'utf8');
    assert.match(fetched(), /Subject: first\n[^]*Subject: second\n/);
    const second = await fetch();
    assert.equal(second.code, 1, second.output + second.complaint); // EXIT STATUS in its manual: there was no mail
    imap.close();
  });

  test(`getmail fetches by ${protocol} what is new, and once`, { timeout: 120_000 }, async () => {
    let outcome = await getmailTwice(protocol);
    for (let tries = 1; outcome === 'hung' && tries < 3; tries += 1) outcome = await getmailTwice(protocol);
    assert.equal(outcome, 'ended');
  });
}

/** Once in some hundred times getmail waits for a lock of its own for ever (`futex`, while all that the server said is read): then it is begun anew. */
async function getmailTwice(protocol: 'pop3' | 'imap'): Promise<'ended' | 'hung'> {
  const person = await newPerson();
  const imap = await fill(person, 'first', 'second');
  const settings = getmailSettings(person, protocol);
  const fetch = async (): Promise<'ended' | 'hung'> => {
    const { code, output, complaint } = await start(person, 'timeout', '30', 'getmail', '--getmaildir', person.home, '--rcfile', settings);
    if (code === timedOut) return 'hung';
    assert.equal(code, 0, output + complaint);
    assert.doesNotMatch(complaint, /error|warning/i);
    return 'ended';
  };
  try {
    if (await fetch() === 'hung') return 'hung';
    assert.equal(mailFiles(person.home).length, 2);
    await imap.append('INBOX', newMessage().bytes);
    if (await fetch() === 'hung') return 'hung';
    assert.equal(mailFiles(person.home).length, 3);
    return 'ended';
  } finally {
    imap.close();
  }
}

test('curl sends a message, and reads it by IMAP and POP3', { timeout: 120_000 }, async () => {
  const person = await newPerson();
  const address = `${person.user}@example.com`;
  const { subject, bytes } = newMessage({ from: address, to: address });
  const curl = async (url: string, ...more: readonly string[]): Promise<string> => {
    const { code, output, complaint } = await run('curl', ['-sS', '--cacert', cluster.authorityFile, '--user', `${address}:${cluster.password}`, ...more, url], bytes);
    assert.equal(code, 0, complaint);
    return output;
  };
  await curl(`smtps://localhost:${String(cluster.port('fe1', 'submissions'))}`, '--mail-from', address, '--mail-rcpt', address, '--upload-file', '-');
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user: person.user });
  await imap.ok('SELECT INBOX');
  await imap.findSoon(subject);
  imap.close();
  const urls = [`imaps://localhost:${String(cluster.port('fe1', 'imaps'))}/INBOX;MAILINDEX=1`, `pop3s://localhost:${String(cluster.port('fe1', 'pop3s'))}/1`];
  for (const url of urls) assert.ok((await curl(url)).includes(`Subject: ${subject}\r\n`), url);
});

oddMailSuite({ newPerson, start, mailFiles });

test('no node has complained about any of these programs', () => {
  for (const node of ['fe1', 'be1'] as const) {
    const complaints = cluster.log(node).split('\n').filter((line) => /"level":(?:40|50|60)/.test(line));
    assert.deepEqual(complaints, []);
  }
});

pop3FrontEndSuite(() => cluster);
