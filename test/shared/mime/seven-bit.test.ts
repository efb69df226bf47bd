/** Messages with 8-bit bytes made fit for 7-bit servers, read back by another MIME parser (postal-mime). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { edited } from '../../../shared/mime/message-edits.ts';
import { planSevenBit } from '../../../shared/mime/seven-bit.ts';
import { readRealMail, realMailNames } from './real-mail.ts';

/** In pieces of a size that shifts every edge. */
async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function converted(bytes: Buffer, size = 61): Promise<Buffer | string> {
  const plan = await planSevenBit(() => pieces(bytes, size));
  if (plan.kind !== 'convert') return plan.kind === 'as-is' ? 'as-is' : plan.reason;
  const all: Buffer[] = [];
  for await (const piece of edited(pieces(bytes, size), plan.edits)) all.push(piece);
  return Buffer.concat(all);
}

/** A message of these lines; `ü` and the like are UTF-8. */
const message = (...lines: string[]): Buffer => Buffer.from(lines.map((line) => `${line}\r\n`).join(''));

async function text(lines: readonly string[], size?: number): Promise<string> {
  const done = await converted(message(...lines), size);
  assert.ok(typeof done !== 'string', String(done));
  assert.ok(done.every((byte) => byte < 0x80), 'all is ASCII');
  assert.ok(done.toString().split('\r\n').every((line) => line.length <= 76), 'and no line is long');
  return done.toString('latin1');
}

test('a text becomes quoted-printable, whatever its header says of itself', async () => {
  const lines = ['Grüße = 5 ', 'From here', '', `${'ä'.repeat(40)} end\t`, '.dot'];
  const body = 'Gr=C3=BC=C3=9Fe =3D 5=20\r\nFrom here\r\n\r\n';
  const labelled = await text(['MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding:', ' 8bit', 'Subject: x', '', ...lines]);
  assert.ok(labelled.startsWith(`MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nSubject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${body}`), labelled);
  assert.ok(labelled.endsWith('=C3=A4 end=09\r\n.dot\r\n'), labelled);
  const bare = await text(['Subject: x', '', ...lines]);
  assert.ok(bare.startsWith('Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3'), bare);
  assert.ok((await text(['', 'ü'])).startsWith('MIME-Version: 1.0\r\n'));
  for (let size = 1; size < 40; size += 1) assert.equal(await text(['Subject: x', '', ...lines], size), bare, `in pieces of ${String(size)}`);
});

test('parts are encoded each by itself, enclosed messages too, and what has no 8-bit byte stays as it is', async () => {
  const part = (type: string, encoding: string, ...body: string[]): string[] => ['--b', `Content-Type: ${type}`, `Content-Transfer-Encoding: ${encoding}`, '', ...body];
  const done = await text([
    'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', 'Content-Transfer-Encoding: 8bit', '', 'preamble',
    ...part('text/plain; charset=utf-8', '8bit', 'é'), ...part('text/plain', '7bit', 'plain'), ...part('application/x-thing', 'binary', 'ü'.repeat(60), ''),
    ...part('multipart/signed; boundary=s', '7bit', '--s', 'Content-Type: text/plain', '', 'signed ', '--s--'),
    '--b', 'Content-Type: message/rfc822', 'Content-Transfer-Encoding: 8bit', '', 'Subject: inner', '', 'ö', '--b--', 'epilogue',
  ]);
  const thing = Buffer.from(`${'ü'.repeat(60)}\r\n`).toString('base64').replaceAll(/.{76}/g, '$&\r\n');
  assert.equal(done, [
    'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', 'preamble',
    ...part('text/plain; charset=utf-8', 'quoted-printable', '=C3=A9'), ...part('text/plain', '7bit', 'plain'), ...part('application/x-thing', 'base64', thing),
    ...part('multipart/signed; boundary=s', '7bit', '--s', 'Content-Type: text/plain', '', 'signed ', '--s--'),
    '--b', 'Content-Type: message/rfc822', '', 'Subject: inner', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=unknown-8bit', 'Content-Transfer-Encoding: quoted-printable', '', '=C3=B6', '--b--', 'epilogue', '',
  ].join('\r\n'));
});

test('what is signed or encrypted, a header, and what calls itself encoded are not touched: such messages can not be converted', async () => {
  const sealed = (type: string): Buffer => message('MIME-Version: 1.0', `Content-Type: multipart/${type}; boundary=b`, '', '--b', 'Content-Type: text/plain', '', 'ü', '--b', 'Content-Type: application/pgp-signature', '', 'x', '--b--');
  assert.equal(await converted(sealed('signed')), 'a signed or encrypted part has 8-bit bytes');
  assert.equal(await converted(sealed('encrypted')), 'a signed or encrypted part has 8-bit bytes');
  assert.equal(await converted(message('Subject: ü', '', 'x')), 'a header has 8-bit bytes');
  assert.equal(await converted(message('Content-Type: multipart/mixed; boundary=b', '', 'ü', '--b', '', 'x', '--b--')), 'a header has 8-bit bytes');
  assert.match(String(await converted(message('Content-Type: multipart/mixed; boundary=b', '', 'ü'))), /may not be encoded/);
  assert.match(String(await converted(message('Content-Type: image/png', 'Content-Transfer-Encoding: base64', '', 'ü'))), /may not be encoded/);
  assert.equal(await converted(message('Subject: x', '', 'all plain')), 'as-is');
});

test('real messages say the same afterwards', async () => {
  const outcomes = { 'as-is': 0, converted: 0, impossible: 0 };
  for (const name of realMailNames) {
    const bytes = readRealMail(name);
    const done = await converted(bytes, 4096);
    outcomes[typeof done === 'string' ? (done === 'as-is' ? 'as-is' : 'impossible') : 'converted'] += 1;
    if (typeof done === 'string') continue;
    assert.ok(done.every((byte) => byte < 0x80), name);
    const [before, after] = [await PostalMime.parse(bytes), await PostalMime.parse(done)];
    assert.deepEqual(after.attachments, before.attachments, name);
    // Of a charset that nobody has told the other parser makes what it likes.
    if (!done.includes('charset=unknown-8bit')) assert.deepEqual([after.text, after.html], [before.text, before.html], name);
  }
  assert.ok(outcomes.converted >= 5 && outcomes.impossible >= 1, JSON.stringify(outcomes));
});
