import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FramingError, MessageFramer } from '../../../shared/ldap/message-framer.ts';

function message(content: Uint8Array, lengthBytes: 0 | 1 | 2 | 3 | 4): Buffer {
  const short = lengthBytes === 0 && content.length < 128;
  const width = short ? 0 : Math.max(lengthBytes, content.length > 255 ? 2 : 1);
  const header = Buffer.alloc(2 + width);
  header[0] = 0x30;
  header[1] = short ? content.length : 0x80 | width;
  if (!short) header.writeUIntBE(content.length, 2, width);
  return Buffer.concat([header, content]);
}

test('messages come out whole however the stream is cut', () => {
  const one = fc.tuple(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const, 4 as const));
  fc.assert(fc.property(fc.array(one, { maxLength: 8 }), fc.array(fc.nat(2000)), (contents, cuts) => {
    const messages = contents.map(([content, width]) => message(content, width));
    const stream = Buffer.concat(messages);
    const places = [0, ...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
    const framer = new MessageFramer(() => 1_000);
    const out = places.slice(1).flatMap((end, index) => framer.write(stream.subarray(places[index], end)));
    assert.deepEqual(out, messages);
  }));
});

test('what is not LDAP, of indefinite length or above the limit is refused before it is buffered', () => {
  for (const bytes of [Buffer.from('HTTP/1.1 200 OK\r\n'), Buffer.from([0x30, 0x80]), Buffer.from([0x30, 0x85, 1, 2, 3, 4, 5]), Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])]) {
    assert.throws(() => new MessageFramer(() => 1_000_000).write(bytes), FramingError);
  }
});
