/** Real messages: what was appended comes back byte by byte, and every item can be fetched of it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tls from 'node:tls';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { change, inIndex } from '../storage/damage.ts';
import { deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

const folder = path.join(import.meta.dirname, '../../../../shared/mail');
const files = fs.readdirSync(folder).filter((name) => name.endsWith('.eml'));
const address = 'real@example.com';
let server: TestServer;

before(async () => {
  server = await startServer();
});
after(async () => server.stop());

/** With CRLF line ends, as they must be on the wire. */
function normalised(file: string): Buffer {
  return Buffer.from(fs.readFileSync(path.join(folder, file), 'latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
}

async function logIn(user = address): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  dialogue.say(`login LOGIN ${user} "${password}"`);
  await dialogue.until(/^login OK/);
  return dialogue;
}

/** The literal that ends the line whose beginning matches. */
async function literal(dialogue: Dialogue, start: RegExp): Promise<Buffer> {
  const [, size = ''] = await dialogue.expect(new RegExp(`${start.source}.*\\{(\\d+)\\}$`));
  return dialogue.bytes(Number(size));
}

test('Every message comes back from FETCH BODY[] byte by byte as APPEND took it, whole and in parts.', { timeout: 60_000 }, async () => {
  assert.ok(files.length > 50);
  const dialogue = await logIn();
  for (const [index, file] of files.entries()) {
    const bytes = normalised(file);
    dialogue.sayRaw(Buffer.concat([Buffer.from(`a${String(index)} APPEND INBOX {${String(bytes.length)}+}\r\n`), bytes, Buffer.from('\r\n')]));
    await dialogue.expect(new RegExp(`^a${String(index)} OK \\[APPENDUID`));
  }
  dialogue.say('b SELECT INBOX');
  await dialogue.until(/^b OK/);
  for (const [index, file] of files.entries()) {
    const bytes = normalised(file);
    dialogue.say(`c FETCH ${String(index + 1)} (BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] RFC822.SIZE)`);
    const whole = await literal(dialogue, /^\* \d+ FETCH \(BODY\[\]/);
    assert.ok(whole.equals(bytes), file);
    const header = await literal(dialogue, /^ BODY\[HEADER\]/);
    const text = await literal(dialogue, /^ BODY\[TEXT\]/);
    assert.ok(Buffer.concat([header, text]).equals(bytes), `${file}: header and text`);
    await dialogue.expect(new RegExp(`^ RFC822.SIZE ${String(bytes.length)}\\)$`));
    await dialogue.expect(/^c OK/);
  }
  dialogue.close();
});

test('A header with bytes beyond ASCII, UTF-8 or not, is taken from any client and comes back as it came; no UTF-8 stands in its envelope.', { timeout: 60_000 }, async () => {
  const dialogue = await logIn();
  dialogue.say('d CREATE Raw');
  await dialogue.until(/^d OK/);
  const subjects = [Buffer.from('f\u00fcr dich'), Buffer.from('f\u00fcr dich', 'latin1'), Buffer.from([0xff, 0xc3, 0x20, 0xe2, 0x82])];
  const messages = subjects.map((subject) => Buffer.concat([Buffer.from('From: a@example.org\r\nSubject: '), subject, Buffer.from('\r\n\r\nx\r\n')]));
  for (const bytes of messages) {
    dialogue.sayRaw(Buffer.concat([Buffer.from(`e APPEND Raw {${String(bytes.length)}+}\r\n`), bytes, Buffer.from('\r\n')]));
    await dialogue.expect(/^e OK \[APPENDUID/);
  }
  dialogue.say('f EXAMINE Raw');
  await dialogue.until(/^f OK/);
  for (const [index, bytes] of messages.entries()) {
    dialogue.say(`g FETCH ${String(index + 1)} (BODY.PEEK[] ENVELOPE)`);
    assert.deepEqual(await literal(dialogue, /^\* \d+ FETCH \(BODY\[\]/), bytes);
    if (index === 0) await dialogue.expect(/^ ENVELOPE \(NIL "=\?utf-8\?/);
    else {
      const [, size = ''] = await dialogue.expect(/^ ENVELOPE \(NIL \{(\d+)\}$/);
      assert.deepEqual(await dialogue.bytes(Number(size)), subjects[index]);
    }
    await dialogue.until(/^g OK/);
    dialogue.say(`h FETCH ${String(index + 1)} (BODY.PEEK[HEADER.FIELDS (Subject)] ENVELOPE)`); // both are kept beside the index
    assert.deepEqual(await literal(dialogue, /^\* \d+ FETCH \(BODY\[HEADER.FIELDS \(SUBJECT\)\]/), Buffer.concat([Buffer.from('Subject: '), subjects[index] ?? Buffer.alloc(0), Buffer.from('\r\n\r\n')]));
    await dialogue.expect(index === 0 ? /^ ENVELOPE \(NIL "=\?utf-8\?/ : /^ ENVELOPE \(NIL \{\d+\}$/);
    await dialogue.until(/^h OK/);
  }
  dialogue.close();
});

test('Structure, envelope and preview of every real message are well-formed responses.', { timeout: 60_000 }, async () => {
  const dialogue = await logIn();
  for (const file of files.slice(0, 3)) await deliver({ storage: server.storage, address, mailbox: 'INBOX' }, normalised(file));
  dialogue.say('b SELECT INBOX');
  const count = Number((await dialogue.until(/^\* (\d+) EXISTS/))[1]);
  await dialogue.until(/^b OK/);
  dialogue.say('c FETCH 1:* (UID ENVELOPE BODY BODYSTRUCTURE PREVIEW EMAILID)');
  for (let at = 1; at <= count; at += 1) {
    let response = '';
    for (;;) {
      const line = await dialogue.line();
      const size = /\{(\d+)\}$/.exec(line)?.[1];
      response += line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\{\d+\}$/, '""');
      if (size === undefined) break;
      await dialogue.bytes(Number(size));
    }
    assert.match(response, new RegExp(`^\\* ${String(at)} FETCH \\(UID \\d+ ENVELOPE \\(.*\\) BODY \\(.*\\) BODYSTRUCTURE \\(.*\\) PREVIEW "" EMAILID \\(M\\d+\\)\\)$`));
    assert.equal(response.replaceAll(/[^(]/g, '').length, response.replaceAll(/[^)]/g, '').length, response);
  }
  await dialogue.expect(/^c OK/);
  dialogue.close();
});

test('A big message is sent no faster than the client takes it, other sessions go on meanwhile, and it comes whole.', { timeout: 60_000 }, async () => {
  const lines = Array.from({ length: 500_000 }, (_item, index) => `${String(index).padStart(10, '0')} ${'x'.repeat(67)}\r\n`);
  const big = Buffer.from(`Subject: big\r\n\r\n${lines.join('')}`);
  await deliver({ storage: server.storage, address: 'big@example.com', mailbox: 'INBOX' }, big);
  const commands = `a LOGIN big@example.com "${password}"\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n`;
  // It never reads: what the server sends stays in the sockets.
  const slow = tls.connect({ port: server.ports.tls, host: '127.0.0.1', rejectUnauthorized: false });
  await once(slow, 'secureConnect');
  const before = process.memoryUsage().external;
  slow.write(commands);
  const other = await logIn();
  for (let turn = 0; turn < 30; turn += 1) {
    other.say('n NOOP');
    await other.expect(/^n OK/);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const grownBytes = process.memoryUsage().external - before;
  assert.ok(grownBytes < big.length / 3, `memory grew by ${String(grownBytes)} bytes`);
  slow.destroy();
  other.close();
  const whole = tls.connect({ port: server.ports.tls, host: '127.0.0.1', rejectUnauthorized: false });
  whole.write(commands);
  const received: Buffer[] = [];
  let tail = '';
  for await (const chunk of whole as AsyncIterable<Buffer>) {
    received.push(chunk);
    tail = (tail + chunk.toString('latin1')).slice(-100);
    if (/\r\nc OK [^\n]*\n$/.test(tail)) break;
  }
  const all = Buffer.concat(received);
  const start = all.indexOf(`BODY[] {${String(big.length)}}\r\n`);
  const bodyStart = all.indexOf('\n', start) + 1;
  assert.ok(start > 0 && all.subarray(bodyStart, bodyStart + big.length).equals(big));
});

test('Header fields that are kept beside the index are those of the message, in part as well, and so are those of messages of which none are kept.', { timeout: 60_000 }, async () => {
  const user = 'fields@example.com';
  for (const file of files) await deliver({ storage: server.storage, address: user, mailbox: 'INBOX' }, normalised(file));
  await deliver({ storage: server.storage, address: user, mailbox: 'INBOX' }, Buffer.from('Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= at\r\n home\r\nX-Odd: odder\r\nsubject: second\r\nFrom: Ann <ann@example.com>\r\n\r\nBody'));
  const dialogue = await logIn(user);
  dialogue.say('b SELECT INBOX');
  await dialogue.until(/^b OK/);
  const commands = [
    'FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (From TO subject Date Message-ID References)])', 'FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject X-TUID)]<4.20>', 'FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Received Subject)] FLAGS)',
    'UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (List-Id)] BODY.PEEK[HEADER.FIELDS.NOT (Received)])', 'FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]<4000.5>',
    'SEARCH SUBJECT "the"', 'SEARCH SUBJECT ""', 'SEARCH SUBJECT "at home"', 'SEARCH SUBJECT second', 'SEARCH HEADER Subject second', 'SEARCH OR FROM "com" NOT TO "a"', 'SEARCH HEADER X-Odd ""', 'SEARCH HEADER X-Odd odder', 'SEARCH HEADER Received ""', 'SEARCH NOT HEADER List-Id "" CC "e"',
  ];
  let turn = 0;
  /** Each time in another mailbox: of one that was searched the worker knows what it has read. */
  const ask = async (questions: readonly string[] = commands): Promise<readonly string[]> => {
    const answers: string[] = [];
    turn += 1;
    for (const command of [`CREATE Turn${String(turn)}`, 'SELECT INBOX', `COPY 1:* Turn${String(turn)}`, `SELECT Turn${String(turn)}`]) {
      dialogue.say(`c ${command}`);
      await dialogue.until(/^c OK/);
    }
    for (const command of questions) {
      dialogue.say(`f ${command}`);
      let answer = '';
      for (let line = await dialogue.line(); !/^f OK/.test(line); line = await dialogue.line()) {
        const size = /\{(\d+)\}$/.exec(line)?.[1];
        answer += `${line}\r\n${size === undefined ? '' : (await dialogue.bytes(Number(size))).toString('latin1')}`;
      }
      answers.push(answer);
    }
    return answers;
  };
  const everything = { from: [], to: ['\u{10ffff}'] };
  const kept = await ask();
  await inIndex(server.directory, 'header-fields', (table) => {
    for (const { key } of table.range(everything)) table.put(key, Buffer.from([0])); // nothing is kept
  });
  const looked = await ask();
  for (const [index, command] of commands.entries()) assert.equal(kept[index], looked[index], command);
  assert.ok(kept.filter((answer) => answer.length > 10).length >= 12, 'there is something to be compared');
  const forget = async (): Promise<void> => inIndex(server.directory, 'header-fields', (table) => {
    for (const { key } of table.range(everything)) table.remove(key); // as an earlier version left it
  });
  await forget();
  assert.deepEqual(await ask(['SEARCH FROM "com"', 'SEARCH FROM "com"']), await ask(['SEARCH FROM "com"', 'SEARCH NOT NOT FROM "com"']));
  await inIndex(server.directory, 'header-fields', (table) => assert.ok(table.range(everything).length >= 64, 'a search keeps what it has read, too'));
  await forget();
  assert.equal((await ask())[0], kept[0]);
  await inIndex(server.directory, 'header-fields', (table) => assert.equal(table.range(everything).length, files.length + 1, 'from now on they are kept'));
  assert.deepEqual(await ask(), kept);
  await deliver({ storage: server.storage, address: user, mailbox: 'INBOX' }, Buffer.from('Subject: planted\r\n\r\n'));
  await change(server.directory, 'header-fields', (value) => (value.includes('planted') ? Buffer.from(value.toString('latin1').replace('planted', 'altered'), 'latin1') : undefined));
  dialogue.say('g SELECT INBOX');
  await dialogue.until(/^g OK/);
  dialogue.say('g FETCH * BODY.PEEK[HEADER.FIELDS (Subject)]');
  await dialogue.expect(/FETCH \(BODY\[HEADER.FIELDS \(SUBJECT\)\] \{20\}$/);
  assert.equal(await dialogue.line(), 'Subject: altered', 'the message is not read');
  await dialogue.until(/^g OK/);
  dialogue.say('g FETCH * (BODY[HEADER.FIELDS (Subject)] UID)');
  await dialogue.expect(/FETCH \(BODY\[HEADER.FIELDS \(SUBJECT\)\] \{20\}$/);
  assert.equal(await dialogue.line(), 'Subject: altered', 'nor is it where it is marked as seen');
  assert.equal(await dialogue.line(), '');
  await dialogue.expect(/^ UID \d+ FLAGS \(\\Recent \\Seen\)\)$/);
  await dialogue.until(/^g OK/);
  const [many = ''] = await ask([`FETCH * BODY.PEEK[HEADER.FIELDS (Subject ${Array.from({ length: 70 }, (_item, index) => `X-${String(index)}`).join(' ')})]`]);
  assert.match(many, /\r\nSubject: planted\r\n/, 'to look for so many names takes longer than to read the message');
  dialogue.say('h SEARCH SUBJECT altered');
  await dialogue.expect(/^\* SEARCH \d+$/);
  await dialogue.until(/^h OK/);
  dialogue.close();
});

test('What NOTIFY tells of new messages is told out of what is kept of them', async () => {
  const user = 'described@example.com';
  await deliver({ storage: server.storage, address: user, mailbox: 'INBOX' }, Buffer.from('Subject: first\r\n\r\n'));
  const dialogue = await logIn(user);
  dialogue.say('a SELECT INBOX');
  await dialogue.until(/^a OK/);
  dialogue.say('b NOTIFY SET (SELECTED (MessageNew (UID FLAGS BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge))');
  await dialogue.until(/^b OK/);
  server.hints.silence = 'yes'; // it hears of the message when it asks
  await deliver({ storage: server.storage, address: user, mailbox: 'INBOX' }, Buffer.from('Subject: planted\r\n\r\n'));
  await change(server.directory, 'header-fields', (value) => (value.includes('planted') ? Buffer.from(value.toString('latin1').replace('planted', 'altered'), 'latin1') : undefined));
  server.hints.silence = 'no';
  dialogue.say('c NOOP');
  for (const line of [/^\* 2 EXISTS$/, /^\* 2 RECENT$/]) await dialogue.expect(line);
  await dialogue.expect(/^\* 2 FETCH \(UID 2 FLAGS \(\\Recent\) BODY\[HEADER.FIELDS \(SUBJECT\)\] \{20\}$/);
  assert.equal(await dialogue.line(), 'Subject: altered', 'the message is not read');
  dialogue.close();
});
