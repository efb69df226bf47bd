/** Messages with UTF-8 in their headers, as clients get them that can't take it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeWords } from '../../../shared/mime/encoded-words.ts';
import { edited } from '../../../shared/mime/message-edits.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import { planSurrogate } from '../../../shared/mime/surrogate.ts';

async function surrogateOf(message: Buffer | string): Promise<string> {
  const bytes = Buffer.from(message);
  const edits = await planSurrogate(scanMessage(bytes).root, async (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)));
  const all: Buffer[] = [];
  for await (const piece of edited(inPieces(bytes), edits)) all.push(piece);
  return Buffer.concat(all).toString('latin1');
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += 7) yield await Promise.resolve(bytes.subarray(at, at + 7));
}

/** A header alone, and its lines afterwards. */
async function lines(...header: readonly string[]): Promise<string[]> {
  const text = await surrogateOf(`${header.join('\r\n')}\r\n\r\n`);
  assert.ok(text.endsWith('\r\n\r\n'), text);
  return text.slice(0, -4).split('\r\n');
}

test('what is ASCII stays byte for byte, whatever it looks like', async () => {
  const message = 'Subject: =?utf-8?q?=C3=A4?=  and\r\n\tfolded\nX:y\r\nno field\r\n\r\nbody \u00e4\r\n';
  assert.equal(await surrogateOf(message), Buffer.from(message).toString('latin1'));
});

test('bytes that are no UTF-8 stay: nobody knows what they mean', async () => {
  const message = Buffer.from('Subject: gr\xfc\xdfe\r\nX: \xc3\r\n\r\n', 'latin1');
  assert.equal(await surrogateOf(message), message.toString('latin1'));
});

test('a subject becomes encoded words, in lines that are short enough', async () => {
  const subject = 'Grüße aus dem Süden, wo die Sonne länger scheint und die Äpfel röter sind als überall sonst im Land';
  const found = await lines(`Subject: ${subject}`, 'X-Other: left alone');
  assert.equal(found.at(-1), 'X-Other: left alone');
  assert.ok(found.every((line) => line.length <= 85 && /^[\x20-\x7e]*$/.test(line)), found.join('\n'));
  assert.equal(decodeWords(found.slice(0, -1).join('').replace('Subject: ', '')), subject);
});

test('words that were encoded already are not encoded twice', async () => {
  assert.deepEqual(await lines('Subject: =?utf-8?q?=C3=A4?= ö'), ['Subject: =?utf-8?B?w6Qgw7Y=?=']);
});

test('names are encoded and domains take their ASCII form; an address with another local part can only be read', async () => {
  assert.deepEqual(await lines('To: Jörg <joerg@example.com>, "A, B" <a@example.com>, <x@bücher.example>, häns@bücher.example, plain@example.com'), [
    'To: =?utf-8?B?SsO2cmc=?= <joerg@example.com>,', ' "A, B" <a@example.com>,', ' x@xn--bcher-kva.example,',
    ` =?utf-8?B?${Buffer.from('häns@bücher.example').toString('base64')}?= <invalid@internationalized-address.invalid>,`, ' plain@example.com',
  ]);
});

test('groups stay groups', async () => {
  assert.deepEqual(await lines('Cc: Büro: a@example.com, b@example.com;, c@example.com'), ['Cc: =?utf-8?B?QsO8cm8=?=:', ' a@example.com,', ' b@example.com', ' ;,', ' c@example.com']);
});

test('parameters take the coding of RFC 2231', async () => {
  assert.deepEqual(await lines('Content-Disposition: attachment; filename="Äpfel \\"neu\\".txt"; size=10'), [
    'Content-Disposition: attachment;', " filename*=utf-8''%C3%84pfel%20%22neu%22.txt;", ' size="10"',
  ]);
});

test('parts and enclosed messages are written anew as well, and what is signed is not', async () => {
  const part = 'Content-Type: text/plain; name="ä"\r\n\r\nä\r\n';
  const multipart = (type: string): string => `Content-Type: multipart/${type}; boundary=b\r\n\r\n--b\r\n${part}--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: ä\r\n\r\n--b--\r\n`;
  const mixed = await surrogateOf(multipart('mixed'));
  assert.match(mixed, /name\*=utf-8''%C3%A4\r\n\r\n\xc3\xa4\r\n--b\r\nContent-Type: message\/rfc822\r\n\r\nSubject: =\?utf-8\?B\?w6Q=\?=\r\n\r\n--b--\r\n$/);
  assert.equal(await surrogateOf(multipart('signed')), Buffer.from(multipart('signed')).toString('latin1'));
});

test('line ends without CR stay so, and a header without end keeps its last line', async () => {
  assert.equal(await surrogateOf('Subject: ä\nX: y\n\nbody'), 'Subject: =?utf-8?B?w6Q=?=\nX: y\n\nbody');
  assert.equal(await surrogateOf('X: y\r\nSubject: ä'), 'X: y\r\nSubject: =?utf-8?B?w6Q=?=');
});

test('a header that is too long to be looked at stays as it is', async () => {
  const message = `Subject: ä\r\nX: ${'y'.repeat(300_000)}\r\n\r\n`;
  assert.equal(await surrogateOf(message), Buffer.from(message).toString('latin1'));
});
