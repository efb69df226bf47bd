/** What a connection has received and not read: the same lines and bytes, however they were cut on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReceivedBytes } from '../../../shared/net/received-bytes.ts';

const longestLine = 20_000;

/** Lines and counted bytes by turns, as a client says commands with literals. */
function conversation(): { readonly bytes: Buffer; readonly parts: readonly { readonly kind: 'line' | 'counted'; readonly text: string }[] } {
  const parts = Array.from({ length: 60 }, (_, index) => ({
    kind: index % 3 === 2 ? 'counted' as const : 'line' as const,
    text: String.fromCharCode(97 + (index % 26)).repeat((index * index * 37) % 15_000) + (index % 3 === 2 ? '\r\n\n' : ''),
  }));
  return { parts, bytes: Buffer.from(parts.map(({ kind, text }, index) => (kind === 'line' ? `${text}${index % 2 === 0 ? '\r\n' : '\n'}` : text)).join(''), 'latin1') };
}

test('lines and counted bytes are the same however they were cut, joined or in pieces', () => {
  const { bytes, parts } = conversation();
  for (const cut of [1, 2, 3, 700, 4096, 5000, 16_384, 65_536, bytes.length]) {
    const received = new ReceivedBytes();
    let next = 0;
    const tryNext = (): boolean => {
      const part = parts[next];
      if (part === undefined) return false;
      if (part.kind === 'line') {
        const isThere = received.hasLine;
        const line = received.takeLine(longestLine);
        assert.equal(line.kind === 'line', isThere);
        if (line.kind !== 'line') return false;
        assert.equal(line.text, part.text);
      } else {
        if (received.length < part.text.length) return false;
        if (next % 2 === 0) assert.equal(received.take(part.text.length).toString('latin1'), part.text);
        else {
          let text = '';
          while (text.length < part.text.length) text += received.takePiece(part.text.length - text.length).toString('latin1');
          assert.equal(text, part.text);
        }
      }
      next += 1;
      return true;
    };
    for (let at = 0; at < bytes.length; at += cut) {
      received.add(bytes.subarray(at, at + cut));
      while (tryNext());
    }
    assert.equal(next, parts.length, `cut by ${String(cut)}`);
    assert.equal(received.length, 0);
  }
});

test('a line over the limit is told as soon as that is sure, in pieces, too', () => {
  const received = new ReceivedBytes();
  received.add(Buffer.alloc(5000, 'x'));
  assert.equal(received.takeLine(10_000).kind, 'unfinished');
  received.add(Buffer.alloc(5001, 'x'));
  assert.equal(received.takeLine(10_000).kind, 'too-long');
});

test('a peer that sends byte by byte has no piece for each', () => {
  const received = new ReceivedBytes();
  for (let sent = 0; sent < 40_000; sent += 1) received.add(Buffer.of(0x78));
  let pieces = 0;
  for (; received.length > 0; pieces += 1) received.takePiece(Infinity);
  assert.ok(pieces <= 20, String(pieces));
});
