/** Messages made to exhaust the scanner: it stays within bounds of time, memory and result. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { formatBody, formatEnvelope } from '../../../shared/imap/structure-response.ts';
import { encodeStructure } from '../../../shared/mime/encode-structure.ts';
import { MessageScanner } from '../../../shared/mime/scan.ts';
import type { MessageStructure, Part } from '../../../shared/mime/structure.ts';

const size = 10 * 1024 * 1024;
const mostHeldBytes = 2 * 1024 * 1024;
const forms = ['ascii', 'utf-8'] as const;
/** Within what is looked at of a header. */
const spaces = ' '.repeat(200_000);

function fill(text: string): string {
  return text.repeat(Math.ceil(size / text.length));
}

/** @param scanner new */
function feed(scanner: MessageScanner, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += 65_536) scanner.write(bytes.subarray(at, at + 65_536));
}

function count(part: Part): number {
  return part.children.reduce((sum, child) => sum + count(child), 1);
}

function depth(part: Part): number {
  return 1 + Math.max(0, ...part.children.map(depth));
}

const multipart = 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n';
const nested = Array.from({ length: 1000 }, (_, n) => `Content-Type: multipart/mixed; boundary="b${n}"\r\n\r\n--b${n}\r\n`).join('');

const hostile: readonly (readonly [title: string, message: () => string])[] = [
  ['ten megabytes of delimiters', () => multipart + fill('--b\r\n')],
  ['ten megabytes of empty parts', () => multipart + fill('--b\r\n\r\n')],
  ['ten megabytes of lines that resemble delimiters', () => multipart + fill('--x\n')],
  ['ten megabytes of line ends', () => multipart + fill('\n')],
  ['ten megabytes without any line end', () => multipart + fill('-')],
  ['a thousand nested multiparts', () => nested + fill('--b3\r\n')],
  ['a thousand nested messages', () => 'Content-Type: message/rfc822\r\n\r\n'.repeat(1000)],
  ['a header line of ten megabytes', () => `Subject: ${fill('x')}`],
  ['a header of ten megabytes without fields', () => fill('a\n')],
  ['a header of ten megabytes of empty fields', () => fill('a:\r\n')],
  ['a folded field of ten megabytes', () => `Subject: ${fill('\r\n ')}`],
  ['addresses whose brackets never close', () => `To: ${fill('<,')}`],
  ['addresses with brackets, quotes and colons', () => `To: ${fill(':<,"')}`],
  ['an address full of spaces', () => `To: <a${spaces}b@example.com>`],
  ['an address full of spaces and quotes', () => `To: a"${spaces}"@example.com`],
  ['a date full of spaces', () => `Date: 1${spaces}x`],
  ['a media type full of spaces', () => `Content-Type: text${spaces}x`],
  ['encoded words that never end', () => `Subject: ${fill('=?utf-8?q?')}`],
  ['message ids that never end', () => `References: ${fill('<')}`],
  ['a megabyte of opening comments', () => `To: ${fill('(')}\r\nDate: ${fill('(')}`],
  ['parameters without end', () => `Content-Type: a/b${fill(';a*1="\\')}`],
  ['style sheets without end', () => `Content-Type: text/html\r\n\r\n${fill('<style><!--')}`],
];

/** What FETCH tells of it is as bounded as what is kept: it is put together as one text. */
function checkTold(structure: MessageStructure): void {
  const begun = process.cpuUsage();
  const told = forms.flatMap((strings) => [formatEnvelope(structure.envelope, strings), formatBody(structure.root, { data: 'extended', strings }), formatBody(structure.root, { data: 'basic', strings })]);
  const { user, system } = process.cpuUsage(begun);
  for (const text of told) assert.ok(text.length < 4_000_000, `${text.length} characters`);
  assert.ok(user + system < 500_000, `took ${user + system} microseconds of CPU`);
}

for (const [title, message] of hostile) {
  test(`${title}: bounded time, memory, parts, depth and result`, () => {
    const bytes = Buffer.from(message(), 'latin1');
    const scanner = new MessageScanner();
    const before = heldBytes();
    const begun = process.cpuUsage();
    feed(scanner, bytes);
    const fed = process.cpuUsage(begun);
    const held = heldBytes() - before;
    const ending = process.cpuUsage(); // a header that never ends is taken apart only then
    const structure = scanner.end();
    const ended = process.cpuUsage(ending);
    const used = fed.user + fed.system + ended.user + ended.system;
    assert.ok(used < 4_000_000, `took ${used} microseconds of CPU`);
    assert.ok(held < mostHeldBytes, `holds ${held} bytes`);
    assert.ok(count(structure.root) <= 1000);
    assert.ok(depth(structure.root) <= 50);
    assert.equal(structure.root.bodyEnd, bytes.length);
    assert.ok(encodeStructure(structure).length < 1_500_000);
    checkTold(structure);
  });
}

/** Bytes that are really in use, rubbish collected. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers are swept beside the program; the next collection waits for the end of that.
  for (let time = 0; time < 3; time += 1) collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

test('a message of 200 MB is scanned without being held in memory', () => {
  const scanner = new MessageScanner();
  scanner.write(Buffer.from(multipart));
  const chunk = Buffer.from(`${'A'.repeat(76)}\r\n`.repeat(800));
  const before = heldBytes();
  let written = multipart.length;
  for (; written < 200_000_000; written += chunk.length) scanner.write(chunk);
  const held = heldBytes() - before;
  assert.equal(scanner.end().root.bodyEnd, written);
  assert.ok(held < 1_000_000, `holds ${held} bytes`);
});
