import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { peekHeader } from '../../../backend/smtp-receiving/header-peek.ts';
import type { HeaderFacts } from '../../../backend/smtp-receiving/header-peek.ts';

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer, void, void> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function peek(bytes: Buffer, pieceBytes: number, maxBytes = Infinity): Promise<{ readonly facts: HeaderFacts; readonly whole: Buffer }> {
  return peekHeader(inPieces(bytes, pieceBytes), maxBytes, async (facts, rest) => {
    const pieces: Buffer[] = [];
    for await (const piece of rest) pieces.push(piece);
    return { facts, whole: Buffer.concat(pieces) };
  });
}

test('real messages come through byte for byte, whatever pieces they arrive in, and the facts are the same', async () => {
  const folder = join(import.meta.dirname, '../../../../shared/mail');
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    const atOnce = await peek(bytes, bytes.length);
    for (const pieceBytes of [7, 1000, 65_536]) {
      const { facts, whole } = await peek(bytes, pieceBytes);
      assert.ok(whole.equals(bytes), name);
      assert.deepEqual(facts, atOnce.facts, name);
    }
  }
});

test('a message that comes byte by byte is held in few pieces, also the beginning of one that goes on', async () => {
  for (const length of [200_000, 300_000]) {
    const message = Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(length)}`);
    await peekHeader(inPieces(message, 1), Infinity, async (_, bytes) => {
      const held: Buffer[] = [];
      for await (const piece of bytes) held.push(piece);
      assert.ok(Buffer.concat(held).equals(message));
      const pieces = held.length - Math.max(0, message.length - 256 * 1024); // what comes behind the beginning is given on as it comes
      assert.ok(pieces < 100, `${String(pieces)} pieces`);
    });
  }
});

test('fields count in the header only, in any letter case; no header and an endless one are no trouble', async () => {
  const facts = async (text: string): Promise<Omit<HeaderFacts, 'bytes' | 'ends'>> => {
    const { facts: { bytes: _bytes, ends: _ends, ...found } } = await peek(Buffer.from(text), 10);
    return found;
  };
  assert.deepEqual(await facts('RECEIVED: a\r\nreceived : b\r\nX: y\r\n Received: folded\r\n\r\nReceived: body\r\nDate: body\r\n'), { receivedFields: 2, hasDate: false, hasMessageId: false });
  assert.deepEqual(await facts('Message-Id: <a@b>\r\ndate: today\r\n'), { receivedFields: 0, hasDate: true, hasMessageId: true });
  assert.deepEqual(await facts('\r\nDate: in the body\r\n'), { receivedFields: 0, hasDate: false, hasMessageId: false });
  assert.deepEqual(await facts(''), { receivedFields: 0, hasDate: false, hasMessageId: false });
  const endless = Buffer.from(`Received: a\r\n${'X: y\r\n'.repeat(100_000)}`);
  const { facts: some, whole } = await peek(endless, 4096);
  assert.equal(some.receivedFields, 1);
  assert.ok(whole.equals(endless));
});

test('a header section longer than the limit is refused wherever that shows; one just as long is not', async () => {
  const tooLong = /552 5\.3\.4 the header section has more than/u;
  for (const headerBytes of [20_000, 255_000, 262_144, 700_000]) {
    const header = `${'X: 45678\r\n'.repeat(headerBytes / 10)}X: ${'4'.repeat(headerBytes % 10 + 5)}\r\n`;
    const message = Buffer.from(`${header}\r\n${'body\r\n'.repeat(100_000)}`);
    for (const pieceBytes of [1000, 65_536]) {
      assert.ok((await peek(message, pieceBytes, header.length + 2)).whole.equals(message));
      await assert.rejects(peek(message, pieceBytes, header.length - 3), tooLong, `${String(headerBytes)} in pieces of ${String(pieceBytes)}`);
      await assert.rejects(peek(Buffer.from(header), pieceBytes, header.length - 3), tooLong, 'no empty line');
    }
  }
});

test('the source is let go of when the work does not read it', async () => {
  let isReleased = false;
  async function* source(): AsyncGenerator<Buffer, void, void> {
    try {
      await Promise.resolve();
      yield Buffer.from('Subject: x\r\n\r\n');
      yield Buffer.from('body');
    } finally {
      isReleased = true;
    }
  }
  await assert.rejects(peekHeader(source(), Infinity, async () => Promise.reject(new Error('no'))), /no/u);
  assert.ok(isReleased);
});

test('Of a large message nothing is held that was given on', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const came: WeakRef<Buffer>[] = [];
  async function* source(): AsyncGenerator<Buffer, void, void> {
    for (let count = 0; count < 40; count += 1) {
      await nextTurn();
      const piece = Buffer.alloc(16 * 1024, `Subject: ${String(count)}\r\n\r\n`);
      came.push(new WeakRef(piece));
      yield piece;
    }
  }
  const held = await peekHeader(source(), Infinity, async (_facts, rest) => {
    let count = 0;
    for await (const piece of rest) {
      count += piece.length > 0 ? 1 : 0;
      if (count === 30) break;
    }
    await nextTurn();
    collectGarbage();
    return came.filter((piece) => piece.deref() !== undefined).length;
  });
  assert.ok(held <= 3, `${String(held)} of ${String(came.length)} pieces are held`);
});
