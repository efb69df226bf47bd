/** The server's end of a WebSocket: frames against the examples of RFC 6455, whatever bytes a stranger sends, and lines that went dead. */
import { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ControlFrames, acceptanceOf, closeFrame, frameOf } from '../../../shared/http/web-socket-frames.ts';
import { SpeakingSocket } from '../../../shared/http/web-socket.ts';
import { isFailure } from '../../../shared/base/failure.ts';

const handshake = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' };

test('the handshake of RFC 6455 section 1.3, and those that are none', () => {
  assert.equal(acceptanceOf(handshake), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  for (const bad of [{}, { ...handshake, 'sec-websocket-version': '8' }, { ...handshake, 'sec-websocket-key': 'short' }]) assert.equal(acceptanceOf(bad), undefined);
});

test('frames of every length, as RFC 6455 section 5.7 has them', () => {
  assert.deepEqual(frameOf('text', Buffer.from('Hello')), Buffer.from('810548656c6c6f', 'hex'));
  assert.deepEqual(frameOf('text', Buffer.alloc(256)).subarray(0, 4), Buffer.from('817e0100', 'hex'));
  assert.deepEqual(frameOf('text', Buffer.alloc(65_536)).subarray(0, 10), Buffer.from('817f0000000000010000', 'hex'));
  assert.deepEqual(closeFrame(1001), Buffer.from('880203e9', 'hex'));
});

test('a masked pong is read, whole or byte by byte; what a listener must not send is refused', () => {
  const pong = Buffer.from('8a8537fa213d7f9f4d5158', 'hex');
  assert.deepEqual(new ControlFrames().push(pong), [{ kind: 'pong', payload: Buffer.from('Hello') }]);
  const piecemeal = new ControlFrames();
  assert.deepEqual([...pong].flatMap((byte) => piecemeal.push(Buffer.from([byte]))), [{ kind: 'pong', payload: Buffer.from('Hello') }]);
  const codeOf = (hex: string): unknown => new ControlFrames().push(Buffer.from(hex, 'hex'))[0];
  assert.deepEqual(codeOf('818537fa213d7f9f4d5158'), { kind: 'refused', code: 1003 }, 'a text');
  for (const [hex, why] of [['8a0548656c6c6f', 'no mask'], ['0a8537fa213d7f9f4d5158', 'a control frame in parts'], ['ca8537fa213d7f9f4d5158', 'a reserved bit'], ['8b80ffffffff', 'a reserved opcode'], ['8afe0100', 'a control frame of 256 bytes']]) {
    assert.deepEqual(codeOf(hex ?? ''), { kind: 'refused', code: 1002 }, why);
  }
});

test('no bytes of a stranger break it, and what is kept of them stays small', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 }), (pieces) => {
    const frames = new ControlFrames();
    for (const piece of pieces) for (const { kind } of frames.push(Buffer.from(piece))) assert.ok(['ping', 'pong', 'close', 'refused'].includes(kind));
  }), { verbose: 1 });
});

class Wire extends Duplex {
  readonly written: Buffer[] = [];
  override _read(): void { /* the test pushes */ }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    done();
  }
}

function open(): { readonly wire: Wire; readonly socket: SpeakingSocket } {
  const wire = new Wire();
  const request = { method: 'GET', headers: handshake } as unknown as IncomingMessage;
  return { wire, socket: new SpeakingSocket({ request, socket: wire, head: Buffer.alloc(0) }) };
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a line is cut that gives no sign of life between two pings, and stays while it does', async () => {
  const { wire, socket } = open();
  let closed = false;
  socket.onClose(() => { closed = true; });
  for (let turn = 0; turn < 3; turn += 1) {
    socket.ping();
    wire.push(Buffer.from('8a8000000000', 'hex'));
    await settled();
  }
  assert.equal(closed, false);
  socket.ping();
  socket.ping();
  await settled();
  assert.equal(closed, true);
});

test('a ping is answered, a close too, and then the line ends; a text is answered by a close', async () => {
  const polite = open();
  polite.wire.push(Buffer.from('898137fa213d7f', 'hex'));
  polite.wire.push(Buffer.from('888237fa213d3412', 'hex'));
  await settled();
  assert.deepEqual(polite.wire.written.slice(1), [Buffer.from('8a0148', 'hex'), closeFrame(1000)]);
  assert.ok(polite.wire.writableEnded);
  const rude = open();
  rude.wire.push(Buffer.from('818137fa213d7f', 'hex'));
  await settled();
  assert.deepEqual(rude.wire.written.slice(1), [closeFrame(1003)]);
});

test('a request that is no handshake is refused', () => {
  const request = { method: 'POST', headers: handshake } as unknown as IncomingMessage;
  assert.throws(() => new SpeakingSocket({ request, socket: new Wire(), head: Buffer.alloc(0) }), (error) => isFailure(error, 'bad-input'));
});
