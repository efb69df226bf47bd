/** SORT and THREAD answer what Debian's Dovecot answers, of real messages and of threads that chance made. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { startDovecot } from '../../harness/dovecot.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import { readRealMail, realMailNames } from '../../shared/mime/real-mail.ts';
import { certificates, password, startServer } from './harness.ts';

/** Dovecot's configuration takes none with a space. */
const theirPassword = 'secret-word';
const undo: (() => unknown)[] = [];
let ours: Dialogue;
let ourWriter: Dialogue;
let theirs: Dialogue;

before(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-agrees-'));
  undo.push(() => fs.rmSync(folder, { recursive: true }));
  const [certificate, key] = [path.join(folder, 'certificate.pem'), path.join(folder, 'key.pem')];
  const { be1 } = certificates;
  fs.writeFileSync(certificate, be1?.certificate ?? '');
  fs.writeFileSync(key, be1?.key ?? '');
  const server = await startServer();
  undo.push(async () => server.stop());
  const dovecot = await startDovecot({ certificate, key, password: theirPassword, master: { user: 'master', password: theirPassword }, trustedNetworks: '127.0.0.0/8' });
  undo.push(async () => dovecot.stop());
  ours = await logIn(server.ports.tls, password);
  ourWriter = await logIn(server.ports.tls, password);
  ourWriter.say('e ENABLE UTF8=ACCEPT'); // some messages have it in their headers; who enabled it may not name a charset
  await ourWriter.until(/^e OK/);
  theirs = await logIn(dovecot.ports.imaps, theirPassword);
});

after(async () => {
  for (const step of undo.reverse()) await step();
});

async function logIn(port: number, secret: string): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port, tls: 'implicit' });
  undo.push(() => dialogue.close());
  dialogue.say(`l LOGIN agrees@example.com "${secret}"`);
  await dialogue.until(/^l OK/);
  return dialogue;
}

/** Both have these messages in a mailbox of that name, and nothing else, and it is open. */
async function fill(mailbox: string, messages: readonly Buffer[]): Promise<void> {
  const appends = messages.map((bytes, index) => {
    const date = `"${String(1 + (index * 7) % 28).padStart(2, ' ')}-Feb-2026 12:00:00 +0000"`;
    return Buffer.concat([Buffer.from(`a APPEND ${mailbox} ${date} {${String(bytes.length)}+}\r\n`), bytes, Buffer.from('\r\n')]);
  });
  for (const { dialogue, writer } of [{ dialogue: ours, writer: ourWriter }, { dialogue: theirs, writer: theirs }]) {
    writer.say(`c CREATE ${mailbox}`);
    await writer.until(/^c OK/);
    for (const append of appends) {
      writer.sayRaw(append);
      await writer.until(/^a OK/);
    }
    dialogue.say(`s SELECT ${mailbox}`);
    await dialogue.until(/^s OK/);
  }
}

async function answer(dialogue: Dialogue, command: string): Promise<string> {
  dialogue.say(`t ${command}`);
  const [line] = await dialogue.until(/^\* (?:SORT|THREAD|ESEARCH|SEARCH).*$/);
  await dialogue.until(/^t OK/);
  return line;
}

async function agree(command: string): Promise<void> {
  assert.equal(await answer(ours, command), await answer(theirs, command), command);
}

const sortKeys = ['ARRIVAL', 'CC', 'DATE', 'DISPLAYFROM', 'DISPLAYTO', 'FROM', 'REVERSE DATE', 'REVERSE SUBJECT', 'SIZE', 'SUBJECT', 'SUBJECT DATE', 'TO'];

/** Numbers below a bound, the same in every run (a linear congruential generator). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Messages that answer each other, some of whose ancestors are not there, with subjects that are alike. */
function conversations(count: number): Buffer[] {
  const pick = chance(5256);
  const one = (texts: readonly string[]): string => texts[pick(texts.length)] ?? '';
  const chains: string[][] = [];
  return Array.from({ length: count }, (_item, index) => {
    const chain = pick(4) === 0 || chains.length === 0 ? [`root${String(index)}@x`] : [...(chains[pick(chains.length)] ?? []), `m${String(index)}@x`];
    chains.push(chain);
    if (pick(8) === 0) chains.push([...chain, `absent${String(index)}@x`]);
    const id = chain.at(-1) ?? '';
    const ancestors = chain.slice(0, -1).slice(-1 - pick(5)).map((each) => `<${each}>`);
    const subject = `${one(['', '', 'Re: ', 'Fwd: ', '[list] ', '[list] Re: '])}${one(['lunch', 'Lunch', 'trip', 'offer', 'minutes', 'notes', ''])}${one(['', '', '', ' (fwd)'])}`;
    const fields = [
      `Message-ID: <${id}>`, ...(ancestors.length === 0 ? [] : [pick(5) === 0 ? `In-Reply-To: ${ancestors.at(-1) ?? ''}` : `References: ${ancestors.join(' ')}`]),
      `Subject: ${subject}`, // No two at the same time: which comes first then, is everybody's own affair.
      `Date: ${String(1 + pick(28))} Feb 2026 ${String(10 + pick(10))}:${String(10 + Math.floor(index / 50))}:${String(10 + (index % 50))} +0${String(pick(10))}00`,
    ];
    return Buffer.from(`${fields.join('\r\n')}\r\n\r\ntext\r\n`);
  });
}

/** Their From or To is no list of addresses, and everybody makes something else of it. */
const broken: ReadonlySet<string> = new Set([
  'error_emails--weird_to_header.eml', 'plain_emails--mix_caps_content_type.eml', 'plain_emails--raw_email_multiple_from.eml', 'rfc2822--example13.eml',
]);

/** Dovecot's time begins in 1970 and ends in 2106. */
function isInTheirTime(bytes: Buffer): boolean {
  const { sentAtMs = 0 } = scanMessage(bytes);
  return sentAtMs >= 0 && sentAtMs < 2 ** 32 * 1000;
}

test('Real messages are sorted and threaded alike.', { timeout: 60_000 }, async () => {
  await fill('real', realMailNames.filter((name) => !broken.has(name)).map(readRealMail).filter(isInTheirTime));
  for (const keys of sortKeys) await agree(`UID SORT (${keys}) UTF-8 ALL`);
  for (const algorithm of ['REFERENCES', 'REFS', 'ORDEREDSUBJECT']) await agree(`THREAD ${algorithm} UTF-8 ALL`);
  await agree('SEARCH CHARSET UTF-8 SUBJECT e');
});

test('Conversations that chance made are threaded and sorted alike.', { timeout: 60_000 }, async () => {
  await fill('chance', conversations(200));
  for (const keys of sortKeys) await agree(`SORT (${keys}) UTF-8 ALL`);
  for (const algorithm of ['REFERENCES', 'REFS', 'ORDEREDSUBJECT']) await agree(`UID THREAD ${algorithm} UTF-8 ALL`);
  await agree('THREAD REFERENCES UTF-8 SUBJECT lunch');
});
