/**
 * Real messages, cut, doubled, spliced and spoilt, through everything that is done with a message's structure: the scanner, the stored form, the answers
 * to FETCH, the form for clients without UTF-8. Nothing throws, and what comes out is well formed and bounded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBody, formatEnvelope } from '../../shared/imap/structure-response.ts';
import { decodeStructure, encodeStructure } from '../../shared/mime/encode-structure.ts';
import { edited } from '../../shared/mime/message-edits.ts';
import { MessageScanner } from '../../shared/mime/scan.ts';
import { planSevenBit } from '../../shared/mime/seven-bit.ts';
import type { MessageStructure, Part } from '../../shared/mime/structure.ts';
import { planSurrogate } from '../../shared/mime/surrogate.ts';
import { readRealMail, realMailNames } from '../shared/mime/real-mail.ts';
import { fuzzRuns, fuzzSeed } from './settings.ts';

const seeds = realMailNames.map(readRealMail).filter((bytes) => bytes.length < 200_000);
const forms = ['ascii', 'utf-8'] as const;
const mostParts = 1000;
const mostDepth = 50;

interface Wound {
  readonly kind: 'cut' | 'double' | 'splice' | 'flip' | 'insert' | 'unfold';
  readonly at: number;
  readonly length: number;
  readonly other: number;
}

const hostile = ['\0', '\r', '\n', '\r\n\r\n', '--', 'Content-Type: message/rfc822\r\n\r\n', 'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\n--x\r\n', '=?utf-8?b?', '"', '(((((', '<<<<', ';;;;=', 'é', '\u{1f600}', '\xff\xfe', 'filename*0*=', "name*=utf-8''%", '\r\n \r\n\t'];

function wounded(bytes: Buffer, { kind, at, length, other }: Wound): Buffer {
  const start = Math.floor(at * bytes.length);
  const end = Math.min(bytes.length, start + length);
  const rest = [bytes.subarray(0, start), bytes.subarray(end)] as const;
  switch (kind) {
    case 'cut': return Buffer.concat(rest);
    case 'double': return Buffer.concat([rest[0], bytes.subarray(start, end), bytes.subarray(start, end), rest[1]]);
    case 'splice': return Buffer.concat([rest[0], (seeds[other % seeds.length] ?? bytes).subarray(0, length * 20), rest[1]]);
    case 'insert': return Buffer.concat([rest[0], Buffer.from(hostile[other % hostile.length] ?? ''), bytes.subarray(start)]);
    case 'unfold': return Buffer.from(bytes.toString('latin1').replace(/\r\n[ \t]+/g, () => (other % 2 === 0 ? ' ' : '\n ')), 'latin1');
    case 'flip': return Buffer.concat([rest[0], Buffer.from(bytes.subarray(start, end).map((byte) => byte ^ (1 << (other % 8)))), rest[1]]);
  }
}

function scan(bytes: Buffer, pieceBytes: number): MessageStructure {
  const scanner = new MessageScanner();
  for (let at = 0; at < bytes.length; at += pieceBytes) scanner.write(bytes.subarray(at, at + pieceBytes));
  return scanner.end();
}

/** Every part lies within its parent, one behind the other. Answers how many there are. */
function checkParts(part: Part, depth: number): number {
  assert.ok(depth <= mostDepth, 'too deep');
  assert.ok(part.headerStart <= part.bodyStart && part.bodyStart <= part.bodyEnd);
  let [from, count] = [part.bodyStart, 1];
  for (const child of part.children) {
    assert.ok(child.headerStart >= from && child.bodyEnd <= part.bodyEnd, 'a part lies outside its parent');
    count += checkParts(child, depth + 1);
    from = child.bodyEnd;
  }
  return count;
}

/** Reads parenthesized lists of strings, literals, numbers and NIL (RFC 9051 section 4). @throws when it is anything else */
function readList(text: string): unknown {
  const token = /\(|\)|NIL|\d+|"(?:[^"\\\r\n\0]|\\["\\])*"|\{(\d+)\}\r\n| /y;
  const root: unknown[] = [];
  const stack = [root];
  for (let at = 0; at < text.length;) {
    token.lastIndex = at;
    const found = token.exec(text);
    assert.ok(found !== null, `not understood: ${JSON.stringify(text.slice(at, at + 80))}`);
    at = token.lastIndex;
    const top = stack.at(-1);
    assert.ok(top !== undefined, 'a parenthesis too many');
    if (found[0] === '(') {
      const list: unknown[] = [];
      top.push(list);
      stack.push(list);
    } else if (found[0] === ')') stack.pop();
    else if (found[1] !== undefined) {
      top.push(text.slice(at, at + Number(found[1])));
      at += Number(found[1]);
    } else if (found[0] !== ' ') top.push(found[0]);
  }
  assert.equal(stack.length, 1, 'a list is not closed');
  return root[0];
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += 1000) yield await Promise.resolve(bytes.subarray(at, at + 1000));
}

async function gather(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const wound: fc.Arbitrary<Wound> = fc.record({
  kind: fc.constantFrom<Wound['kind'][]>('cut', 'double', 'splice', 'flip', 'insert', 'insert', 'unfold'),
  at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.05, noNaN: true })), length: fc.nat({ max: 400 }), other: fc.nat({ max: 10_000 }),
});

test(`Spoilt messages are scanned, stored, told and converted within bounds (seed ${String(fuzzSeed)})`, { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: seeds.length - 1 }), fc.array(wound, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 5000 }), async (seed, wounds, pieceBytes) => {
      const bytes = wounds.reduce(wounded, seeds[seed] ?? Buffer.alloc(0));
      const structure = scan(bytes, pieceBytes);
      assert.deepEqual(structure, scan(bytes, bytes.length + 1), 'it depends on how the bytes come');
      assert.ok(checkParts(structure.root, 1) <= mostParts);
      assert.equal(structure.root.bodyEnd, bytes.length);
      assert.deepEqual(decodeStructure(encodeStructure(structure)), structure);
      for (const text of forms.flatMap((strings) => [formatEnvelope(structure.envelope, strings), formatBody(structure.root, { data: 'extended', strings }), formatBody(structure.root, { data: 'basic', strings })])) {
        readList(text);
        assert.ok(text.length < 40 * bytes.length + 10_000, `${String(text.length)} for ${String(bytes.length)} bytes`);
      }
      await planSevenBit(() => inPieces(bytes));
      const edits = await planSurrogate(structure.root, async (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)));
      const surrogate = await gather(edited(inPieces(bytes), edits));
      assert.deepEqual(await planSurrogate(scan(surrogate, 4096).root, async (offset, length) => Promise.resolve(surrogate.subarray(offset, offset + length))), [], 'a surrogate needs no other');
    }),
    { seed: fuzzSeed, numRuns: fuzzRuns(150) },
  );
});
