/** Arbitrary commands, sensible and senseless, never meet an internal error, and each gets exactly one answer. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;

before(async () => {
  server = await startServer({ limits: { maxErrors: 1_000_000 } });
});
after(async () => server.stop());

const multipart = Buffer.from(
  'Subject: parts\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n' +
    '--x\r\nContent-Transfer-Encoding: strange\r\n\r\n...\r\n--x--\r\n',
);
let users = 0;

/** A new account with some messages, sensible and senseless. */
async function newUser(): Promise<string> {
  const address = `any${String((users += 1))}@example.com`;
  for (const bytes of [messageAbout('one'), multipart, Buffer.from('\r\n'), Buffer.from('no header at all')]) {
    await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, bytes);
  }
  return address;
}

const set = fc.constantFrom('1', '1:*', '*', '2,4:3', '$', '1:2,2:3', '9', '0', '1:', '4294967295:*');
const mailbox = fc.constantFrom('INBOX', 'Trash', 'Nowhere', '"A/B"', 'A', '"A/B/C"', '""', '"/"', '&-', '&', '"x\\"y"', '%', 'inbox/below');
const flags = fc.constantFrom('(\\Seen)', '\\Flagged $X', '()', '(\\Deleted a b c)', '\\Recent', '(\\Nope)', '(');
const item = fc.constantFrom(
  'FLAGS', 'UID', 'FULL', 'ENVELOPE', 'BODY', 'BODYSTRUCTURE', 'BODY[]', 'BODY.PEEK[2.HEADER]', 'BODY[2.1.MIME]', 'BODY[HEADER.FIELDS (Subject)]<0.5>', 'BODY[3]<2.9>', 'BINARY[3]', 'BINARY.SIZE[1]',
  'BINARY.PEEK[2]', 'BINARY[]', 'RFC822', 'PREVIEW', 'MODSEQ', 'EMAILID', 'SAVEDATE', 'BODY[TEXT', 'BODY[1.2.3.4.TEXT]', 'NOPE',
);
const key = fc.constantFrom(
  'ALL', 'SEEN', 'NOT DELETED', 'OR SEEN 1', 'SUBJECT one', 'BODY "o"', 'TEXT in', 'HEADER X ""', 'SINCE 1-Feb-2020', 'SENTON 24-Nov-2026', 'UID 1:*', '(1:* (NEW))', 'MODSEQ 1', 'LARGER 5', 'YOUNGER 5', '$', 'FROM', '9',
);
const entry = fc.constantFrom('/private/comment', '/shared/comment', '/private', '/private/specialuse', '/comment', '/private//x', '/PRIVATE/vendor/a/b', '/private/vendor/a', '"/shared/x*"');
const events = '(MessageNew (FLAGS BODY.PEEK[TEXT]) MessageExpunge FlagChange)';
const command = fc.oneof(
  fc.tuple(fc.constantFrom('FETCH', 'UID FETCH'), set, fc.array(item, { minLength: 1, maxLength: 4 })).map(([verb, numbers, items]) => `${verb} ${numbers} (${items.join(' ')})`),
  fc.tuple(fc.constantFrom('STORE', 'UID STORE'), set, fc.constantFrom('FLAGS', '+FLAGS.SILENT', '-FLAGS', '(UNCHANGEDSINCE 3) FLAGS'), flags).map((words) => words.join(' ')),
  fc.tuple(fc.constantFrom('COPY', 'UID COPY', 'MOVE', 'UID MOVE'), set, mailbox).map((words) => words.join(' ')),
  fc.tuple(fc.constantFrom('SEARCH', 'UID SEARCH', 'SEARCH RETURN (MIN SAVE)', 'UID SEARCH RETURN (COUNT ALL)', 'SEARCH CHARSET X'), fc.array(key, { maxLength: 3 })).map(([verb, keys]) => [verb, ...keys].join(' ')),
  fc.tuple(fc.constantFrom('SELECT', 'EXAMINE', 'CREATE', 'DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE', 'GETQUOTAROOT', 'LIST ""', 'LSUB ""', 'LIST (SUBSCRIBED RECURSIVEMATCH) ""'), mailbox).map((words) => words.join(' ')),
  fc.tuple(mailbox, entry, fc.constantFrom('', '(DEPTH 1) ', '(DEPTH infinity MAXSIZE 2) ', '(DEPTH 9) ')).map(([name, names, options]) => `GETMETADATA ${options}${name} ${names}`),
  fc.tuple(mailbox, entry, fc.constantFrom('NIL', '"x"', '"\\\\Sent"', 'atom', '{3+}\r\nabc', '~{3+}\r\na\0c', '""')).map(([name, names, value]) => `SETMETADATA ${name} (${names} ${value})`),
  fc.tuple(fc.constantFrom('selected', 'SELECTED-DELAYED', 'personal', 'inboxes', 'subscribed', 'subtree A', 'mailboxes (INBOX Nowhere)', 'nonsense'), fc.constantFrom('NONE', events, 'MessageNew', '(MessageNew)', '(AnnotationChange)', '(MailboxName SubscriptionChange)')).map(
    ([filter, wanted]) => `NOTIFY SET STATUS (${filter} ${wanted})`,
  ),
  fc.tuple(mailbox, mailbox).map(([from, to]) => `RENAME ${from} ${to}`),
  mailbox.map((name) => `STATUS ${name} (MESSAGES SIZE HIGHESTMODSEQ MAILBOXID)`),
  mailbox.map((name) => `LIST (SPECIAL-USE) ${name} (* %) RETURN (STATUS (UNSEEN) CHILDREN)`),
  fc.tuple(mailbox, fc.constantFrom('', '(\\Seen) ', '"01-Jan-2026 00:00:00 +0000" ', 'nonsense ')).map(([name, marks]) => `APPEND ${name} ${marks}{6+}\r\na: b\r\n`),
  fc.tuple(fc.constantFrom('1', '*', '9', '0', '1:2'), mailbox, fc.constantFrom('{6+}\r\na: b\r\n', 'CATENATE (URL /INBOX/;UID=1 TEXT {2+}\r\nab URL ";UID=2/;SECTION=2.MIME")', 'CATENATE (URL /Nowhere/;UID=1)')).map(([number, name, what]) => `${number === '9' ? 'UID ' : ''}REPLACE ${number} ${name} ${what}`),
  fc.constantFrom('RESETKEY', 'RESETKEY INBOX', 'URLFETCH imap://any1%40example.com@h/INBOX/;UID=1;URLAUTH=anonymous:internal:01', 'GENURLAUTH imap://any1%40example.com@h/INBOX/;UID=1;URLAUTH=authuser INTERNAL', 'ENABLE UIDONLY'),
  fc.constantFrom('SELECT INBOX', 'SELECT INBOX', 'NOOP', 'EXPUNGE', 'UID EXPUNGE 1:*', 'CLOSE', 'UNSELECT', 'CHECK', 'NAMESPACE', 'ID NIL', 'ENABLE CONDSTORE', 'GETQUOTA ""', 'CAPABILITY', 'STARTTLS', 'LOGIN a b', 'IDLE x', 'SELECT INBOX (QRESYNC (1 1))', 'NOTIFY NONE', 'ENABLE METADATA UTF8=ACCEPT', 'CREATE Used (USE (\\Archive \\Nope))', 'CREATE Used (USE (\\Archive))', 'LIST "" * RETURN (METADATA (/private/comment /shared/comment))'),
);

test('No arbitrary command meets an internal error, and each gets exactly one answer.', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 25 }), fc.constantFrom('ENABLE IMAP4rev2', 'ENABLE QRESYNC', 'NOOP'), async (commands, first) => {
      const address = await newUser();
      const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
      try {
        const all = [`LOGIN ${address} "${password}"`, first, 'SELECT INBOX', ...commands];
        dialogue.sayRaw(Buffer.from(all.map((text, index) => `t${String(index)} ${text}\r\n`).join('')));
        for (const [index, text] of all.entries()) {
          const [line] = await dialogue.until(/^(?:t\d+ (?:OK|NO|BAD)|\* BYE).*/);
          assert.ok(line.startsWith(`t${String(index)} `), `${text}: ${line}`);
          assert.doesNotMatch(line, /SERVERBUG|internal error/, text);
        }
      } finally {
        dialogue.close();
      }
    }),
    { numRuns: 40 },
  );
});
