/** What strangers send wrong: each gets a clear error, nothing of it has effect, and a second connection works on meanwhile. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession } from '../harness/smtp-session.ts';

export interface Place {
  readonly cluster: () => Cluster;
  readonly node: NodeName;
}

/** A user's session in each protocol, opened before the bad input and used while and after it is there. */
export async function withWitness(place: Place, bad: () => Promise<void>): Promise<void> {
  const { node } = place;
  const cluster = place.cluster();
  const imap = await ImapSession.logIn(cluster, { node, user: 'bob' });
  const pop3 = await Pop3Session.logIn(cluster, { node, user: 'dave' });
  const smtp = await SmtpSession.connect(cluster, node);
  await bad();
  await imap.ok('NOOP');
  await pop3.ok('NOOP');
  assert.match(await smtp.say('NOOP'), /^250 /);
  (await ImapSession.logIn(cluster, { node, user: 'alice' })).close();
  for (const session of [imap, pop3, smtp]) session.close();
}

/** Bytes, and the lines that answer them. `closes`: the server ends the connection after its words. */
interface Case {
  readonly title: string;
  readonly bytes: string;
  readonly answer: RegExp;
  readonly closes?: 'yes';
}

const long = 'x'.repeat(70_000);

const imapBeforeLogin: readonly Case[] = [
  { title: 'an overlong line', bytes: `a ${long}\r\n`, answer: /^(\* BYE|a BAD) .*(too long|at most)/, closes: 'yes' },
  { title: 'a line without end', bytes: long, answer: /^\* BYE .*(too long|at most)/, closes: 'yes' },
  { title: 'a literal without a number', bytes: 'a LOGIN {x}\r\n', answer: /^a BAD \S/ },
  { title: 'a literal too big to wait for', bytes: 'a LOGIN {999999999}\r\n', answer: /^a BAD \[TOOBIG\] / },
  { title: 'a literal too big that does not wait', bytes: 'a LOGIN {999999999+}\r\n', answer: /^\* BYE \[TOOBIG\] /, closes: 'yes' },
  { title: 'a literal with a number beyond all numbers', bytes: 'a LOGIN {99999999999999999999999}\r\n', answer: /^(a BAD|\* BYE) \S/ },
  { title: 'NUL in a command', bytes: 'a LOGIN al\0ice x\r\n', answer: /^a BAD .*NUL/ },
  { title: 'a command of another protocol', bytes: 'GET / HTTP/1.1\r\n', answer: /^GET BAD \S/ },
  { title: 'an empty line', bytes: '\r\n', answer: /^\* BAD \S/ },
  { title: 'an unknown command', bytes: 'a XYZZY\r\n', answer: /^a BAD \S/ },
  { title: 'a mailbox command before login', bytes: 'a SELECT INBOX\r\n', answer: /^a BAD \S/ },
];

const imapAfterLogin: readonly Case[] = [
  { title: 'an overlong line', bytes: `a SEARCH SUBJECT ${'x'.repeat(300_000)}\r\n`, answer: /^(\* BAD|a BAD) .*(too long|too big|at most)/i },
  { title: 'a literal without a number', bytes: 'a SELECT {x}\r\n', answer: /^a BAD \S/ },
  { title: 'a message too big to wait for', bytes: 'a APPEND INBOX {999999999}\r\n', answer: /^a NO \[TOOBIG\] / },
  { title: 'a message too big that does not wait', bytes: 'a APPEND INBOX {999999999+}\r\n', answer: /^(a NO|\* BYE) \[TOOBIG\] / },
  { title: 'NUL in a command', bytes: 'a SELECT IN\0BOX\r\n', answer: /^a BAD .*NUL/ },
  { title: 'nonsense for a sequence set', bytes: 'a UID FETCH 1:2:3 FLAGS\r\n', answer: /^a BAD \S/ },
  { title: 'brackets without end', bytes: `a SEARCH ${'('.repeat(5000)}\r\n`, answer: /^a BAD \S/ },
];

const pop3BeforeLogin: readonly Case[] = [
  { title: 'an overlong line', bytes: `USER ${long}\r\n`, answer: /^-ERR .*(too long|at most)/, closes: 'yes' },
  { title: 'NUL in a command', bytes: 'CAPA\0\r\n', answer: /^-ERR \S/ },
  { title: 'a command before login', bytes: 'RETR 1\r\n', answer: /^-ERR \S/ },
  { title: 'an unknown command', bytes: 'XYZZY\r\n', answer: /^-ERR \S/ },
];

const pop3AfterLogin: readonly Case[] = [
  { title: 'an overlong line', bytes: `RETR ${long}\r\n`, answer: /^-ERR .*(too long|at most)/ },
  { title: 'NUL in a command', bytes: 'LIST \0\r\n', answer: /^-ERR \S/ },
  { title: 'a number beyond all numbers', bytes: 'RETR 99999999999999999999\r\n', answer: /^-ERR \S/ },
];

const smtpCommands: readonly Case[] = [
  { title: 'an overlong line', bytes: `MAIL FROM:<${long}@example.net>\r\n`, answer: /^500 5\.5\.2 line too long/, closes: 'yes' },
  { title: 'a line without end', bytes: long, answer: /^500 5\.5\.2 line too long/, closes: 'yes' },
  { title: 'NUL in a command', bytes: 'NOOP \0\r\n', answer: /^500 5\.5\.2 NUL/, closes: 'yes' },
  { title: 'a bare LF', bytes: 'NOOP\nMAIL FROM:<s@example.net>\r\n', answer: /^500 5\.5\.2 bare <LF>/, closes: 'yes' },
  { title: 'a bare CR', bytes: 'NOOP\rMAIL FROM:<s@example.net>\r\n', answer: /^500 5\.5\.2 bare <CR>/, closes: 'yes' },
  { title: 'an unknown command', bytes: 'XYZZY\r\n', answer: /^50[02] / },
  { title: 'a malformed address', bytes: 'MAIL FROM:<a b@@>\r\n', answer: /^501 / },
];

/** One connection for each case. */
function cases(all: readonly Case[], place: Place, connect: () => Promise<Dialogue>): void {
  for (const { title, bytes, answer, closes } of all) {
    test(title, async () => withWitness(place, async () => {
      const dialogue = await connect();
      dialogue.sayRaw(bytes);
      await dialogue.expect(answer);
      if (closes === 'yes') await dialogue.closed();
      dialogue.close();
    }));
  }
}

export function badInputSuite(place: Place): void {
  const { cluster, node } = place;
  describe(`bad input at ${node}`, () => {
    describe('IMAP before login', () => cases(imapBeforeLogin, place, async () => (await ImapSession.connect(cluster(), node)).dialogue));
    describe('IMAP after login', () => cases(imapAfterLogin, place, async () => (await ImapSession.logIn(cluster(), { node, user: 'alice' })).dialogue));
    describe('POP3 before login', () => cases(pop3BeforeLogin, place, async () => (await Pop3Session.connect(cluster(), node)).dialogue));
    describe('POP3 after login', () => cases(pop3AfterLogin, place, async () => (await Pop3Session.logIn(cluster(), { node, user: 'carol' })).dialogue));
    describe('SMTP', () => cases(smtpCommands, place, async () => (await SmtpSession.connect(cluster(), node)).dialogue));
    describe('commands pipelined before TLS', () => pipelinedBeforeTls(place));
  });
}

/** What was sent in the clear behind STARTTLS has no effect under TLS (CVE-2011-0411): the first answer is to what came under TLS. */
function pipelinedBeforeTls(place: Place): void {
  const { cluster, node } = place;

  test('IMAP forgets them', async () => withWitness(place, async () => {
    const dialogue = await Dialogue.connect({ port: cluster().port(node, 'imap') });
    await dialogue.expect(/^\* OK /);
    dialogue.sayRaw('a STARTTLS\r\nb NOOP\r\n');
    await dialogue.expect(/^a OK /);
    await dialogue.startTls();
    dialogue.say('c NOOP');
    await dialogue.expect(/^c OK /);
    dialogue.close();
  }));

  test('POP3 forgets them', async () => withWitness(place, async () => {
    const dialogue = await Dialogue.connect({ port: cluster().port(node, 'pop3') });
    await dialogue.expect(/^\+OK /);
    dialogue.sayRaw('STLS\r\nUSER alice\r\n');
    await dialogue.expect(/^\+OK /);
    await dialogue.startTls();
    dialogue.say(`PASS ${cluster().password}`);
    await dialogue.expect(/^-ERR /);
    dialogue.close();
  }));

  for (const service of ['smtp', 'submission'] as const) {
    test(`SMTP on the ${service} port forgets them`, async () => withWitness(place, async () => {
      const dialogue = await Dialogue.connect({ port: cluster().port(node, service) });
      await dialogue.reply(220);
      await dialogue.ask('EHLO client.example.net', 250);
      dialogue.sayRaw('STARTTLS\r\nEHLO smuggler.example.net\r\nMAIL FROM:<smuggler@example.net>\r\n');
      await dialogue.reply(220);
      await dialogue.startTls();
      // Neither greeted nor in a transaction: whatever was said in the clear is gone.
      await dialogue.ask('RCPT TO:<alice@example.com>', 503);
      dialogue.close();
    }));
  }
}
