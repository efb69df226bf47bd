/**
 * The longest commands that a logged-in client may send, one part of them repeated as often as it goes: whatever is taken of it takes no long time of the
 * processor, and what is not is refused by the command's grammar, not by an internal error.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Dialogue } from '../harness/dialogue.ts';
import { messageAbout } from '../backend/imap/conversation.ts';
import { deliver, password, startServer } from '../backend/imap/harness.ts';
import type { TestServer } from '../backend/imap/harness.ts';

const address = 'long@example.com';
/** Below `maxCommandBytes` of backend/imap. */
const length = 60_000;
const messages = 100;
/** Of one mailbox, the name of the lowest nearly as long as a name may be. */
const levels = 30;
/** Of processor time, the client's part included; the most was some 500 ms; fifty patterns of LIST took 3000 before names shorter than a pattern were passed over. */
const patienceMs = 1500;

let server: TestServer;

before(async () => {
  server = await startServer({ limits: { maxErrors: 1000 } });
  for (let count = 0; count < messages; count += 1) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, messageAbout(`message ${String(count)}`));
});
after(async () => server.stop());

/** What each is of, how it begins, what is repeated, how it ends. */
const forms: readonly (readonly [title: string, begin: string, again: string, end: string])[] = [
  ['LIST patterns', `LIST (${'SUBSCRIBED '.repeat(1000)}SUBSCRIBED) "" (`, `${'*a'.repeat(499)} `, 'INBOX)'],
  ['FETCH set', 'FETCH 1', ',1', ' FLAGS'],
  ['FETCH set spread', 'FETCH 1', ',1:1000,3', ' FLAGS'],
  ['UID FETCH set', 'UID FETCH 1', ',900:*', ' FLAGS'],
  ['FETCH items', 'FETCH 1 (FLAGS', ' FLAGS', ')'],
  ['FETCH sections', 'FETCH 1 (FLAGS', ' BODY.PEEK[TEXT]<0.1>', ')'],
  ['FETCH binary', 'FETCH 1 (FLAGS', ' BINARY.PEEK[1]<0.1>', ')'],
  ['FETCH deep part', 'FETCH 1 BODY.PEEK[1', '.1', ']'],
  ['FETCH fields', 'FETCH 1:100 BODY.PEEK[HEADER.FIELDS (A', ' B', ')]'],
  ['FETCH fields not', 'FETCH 1:100 BODY.PEEK[HEADER.FIELDS.NOT (A', ' B', ')]'],
  ['FETCH many field lists', 'FETCH 1 (UID', ' BODY.PEEK[HEADER.FIELDS (A)]', ')'],
  ['STORE set', 'STORE 1', ',1:9', ' +FLAGS.SILENT (\\Seen)'],
  ['STORE flags', 'STORE 1:10 +FLAGS.SILENT (\\Seen', ' \\Seen', ')'],
  ['STORE keywords', 'STORE 1:10 +FLAGS.SILENT (k', ' k', ')'],
  ['SEARCH keys', 'SEARCH ALL', ' 1:9', ''],
  ['SEARCH not', 'SEARCH ALL', ' NOT SUBJECT x', ''],
  ['SEARCH not different', 'SEARCH ALL', ' NOT HEADER X x', ''],
  ['SEARCH body', 'SEARCH 1:20', ' NOT BODY x', ''],
  ['SEARCH long text', 'SEARCH 1:100 BODY "', 'a b', '"'],
  ['SEARCH long repeated', 'SEARCH 1:100 SUBJECT "', 'a', '"'],
  ['SEARCH fuzzy long', 'SEARCH 1:100 FUZZY BODY "', 'word1 ab', '"'],
  ['SEARCH OR', 'SEARCH', ' OR SEEN', ' SEEN SEEN'],
  ['SEARCH parens', 'SEARCH ALL', ' (ALL)', ''],
  ['SEARCH keywords', 'SEARCH ALL', ' KEYWORD a', ''],
  ['SORT keys', 'SORT (ARRIVAL', ' SUBJECT', ') UTF-8 ALL'],
  ['SORT display', 'SORT (ARRIVAL', ' REVERSE DISPLAYFROM', ') UTF-8 ALL'],
  ['THREAD keys', 'THREAD REFS UTF-8 ALL', ' NOT SEEN', ''],
  ['ESEARCH mailboxes', 'ESEARCH IN (mailboxes (INBOX', ' INBOX', ')) SUBJECT x'],
  ['ESEARCH other mailboxes', 'ESEARCH IN (mailboxes (INBOX', ' "Other Users/a@example.com/b"', ')) SUBJECT x'],
  ['ESEARCH filters', 'ESEARCH IN (personal', ' subtree a', ') SUBJECT x'],
  ['NOTIFY', 'NOTIFY SET', ' (subtree a (MailboxName))', ''],
  ['NOTIFY mailboxes', 'NOTIFY SET STATUS (mailboxes (INBOX', ' x', ') (MessageNew MessageExpunge))'],
  ['NOTIFY mailboxes of others', 'NOTIFY SET STATUS (mailboxes (INBOX', ' "Other Users/a@example.com/b"', ') (MessageNew MessageExpunge))'],
  ['STATUS items', 'STATUS INBOX (MESSAGES', ' UNSEEN', ')'],
  ['LIST STATUS', 'LIST "" * RETURN (STATUS (MESSAGES', ' SIZE', '))'],
  ['LIST METADATA', 'LIST "" INBOX RETURN (METADATA (/private/a', ' /private/a', '))'],
  ['LIST returns', 'LIST "" * RETURN (CHILDREN', ' CHILDREN', ')'],
  ['GETMETADATA', 'GETMETADATA (DEPTH infinity) INBOX (/private/a', ' /private', ')'],
  ['SETMETADATA', 'SETMETADATA INBOX (/private/a "x"', ' /private/a "x"', ')'],
  ['SETMETADATA uses', 'SETMETADATA Sent (/private/specialuse "\\\\Sent', ' \\\\Sent', '")'],
  ['CREATE uses', 'CREATE u (USE (\\Sent', ' \\Sent', '))'],
  ['CREATE deep', 'CREATE a', '/a', ''],
  ['CATENATE urls', 'APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=TEXT"', ' URL "/INBOX/;UID=1/;SECTION=TEXT"', ')'],
  ['CATENATE literal urls', 'APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=TEXT"', ' URL {27+}\r\n/INBOX/;UID=1/;SECTION=TEXT', ')'],
  ['CATENATE small texts', 'APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=TEXT"', ' TEXT {1+}\r\nx', ')'],
  ['MULTIAPPEND', 'APPEND INBOX', ' {6+}\r\na: b\r\n', ''],
  ['literals', 'SEARCH ALL', ' SUBJECT {1+}\r\nx', ''],
  ['URLFETCH', 'URLFETCH', ' imap://long%40example.com@h/INBOX/;UID=1;URLAUTH=anonymous:internal:0123456789abcdef0123456789abcdef', ''],
  ['GENURLAUTH', 'GENURLAUTH', ' imap://long%40example.com@h/INBOX/;UID=1;URLAUTH=anonymous INTERNAL', ''],
  ['ID', 'ID ("a" "b"', ' "c" "d"', ')'],
  ['ENABLE', 'ENABLE X', ' X', ''],
  ['QRESYNC', 'SELECT INBOX (QRESYNC (1 1 1', ',1:9', '))'],
  ['QRESYNC pairs', 'SELECT INBOX (QRESYNC (1 1 1:9 (1', ',1', ' 1)))'],
  ['UID EXPUNGE', 'UID EXPUNGE 1', ',9999:99999', ''],
  ['COPY', 'COPY 1', ',1:3', ' Nowhere'],
  ['SETACL', 'SETACL INBOX a@example.com ', 'lr', ''],
  ['CANCELUPDATE', 'CANCELUPDATE "x"', ' "y"', ''],
];

async function open(): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  for (const [tag, command] of [['l', `LOGIN ${address} "${password}"`], ['e', 'ENABLE QRESYNC'], ['s', 'SELECT INBOX']] as const) {
    dialogue.say(`${tag} ${command}`);
    await dialogue.until(new RegExp(`^${tag} OK`));
  }
  return dialogue;
}

test('The longest commands take no long time', { timeout: 300_000 }, async () => {
  const first = await open();
  first.say(`c CREATE ${Array.from({ length: levels }, () => 'm'.repeat(30)).join('/')}`);
  await first.until(/^c OK/);
  first.close();
  for (const [title, begin, again, end] of forms) {
    const dialogue = await open();
    const before = process.cpuUsage();
    dialogue.sayRaw(Buffer.from(`x ${begin}${again.repeat(Math.floor((length - begin.length - end.length) / again.length))}${end}\r\n`));
    const [answer] = await dialogue.until(/^(?:x |\* BYE).*/);
    const { user, system } = process.cpuUsage(before);
    dialogue.close();
    assert.doesNotMatch(answer, /SERVERBUG|internal error/, title);
    assert.ok((user + system) / 1000 < patienceMs, `${title}: ${String(Math.round((user + system) / 1000))} ms`);
  }
});
