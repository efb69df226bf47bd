/** WebSocket on the wire, as a server that only speaks (RFC 6455): the handshake and frames, bytes to values and back. Pure. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Section 7.4.1. */
export const closeCodes = { normal: 1000, goingAway: 1001, protocolError: 1002, unacceptable: 1003 } as const;

const opcodes = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** Control frames are never longer (section 5.5). */
const longestControlBytes = 125;

/** The value of Sec-WebSocket-Accept (section 4.2.2); undefined when the request is no good handshake of version 13. */
export function acceptanceOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['sec-websocket-key'];
  if (key === undefined || headers['sec-websocket-version'] !== '13' || Buffer.from(key, 'base64').length !== 16) return undefined;
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** An unmasked, whole frame: servers don't mask (section 5.1). */
export function frameOf(kind: 'text' | 'ping' | 'pong', payload: Buffer): Buffer {
  return wholeFrame(opcodes[kind], payload);
}

export function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return wholeFrame(opcodes.close, payload);
}

function wholeFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, payload]);
}

export type Received =
  | { readonly kind: 'ping' | 'pong'; readonly payload: Buffer }
  | { readonly kind: 'close' }
  /** To be answered with this code; nothing that follows is read. */
  | { readonly kind: 'refused'; readonly code: number };

/** Takes frames of a client apart that has nothing to say: control frames, and no messages. */
export class ControlFrames {
  #pending: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): readonly Received[] {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    const received: Received[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      received.push(frame);
      if (frame.kind === 'refused' || frame.kind === 'close') {
        this.#pending = Buffer.alloc(0);
        break;
      }
    }
    return received;
  }

  #next(): Received | undefined {
    const [first, second] = this.#pending;
    if (first === undefined || second === undefined) return undefined;
    const opcode = first & 0x0f;
    const length = second & 0x7f;
    const whole = (first & 0x80) !== 0;
    // Reserved bits and opcodes, and frames without a mask, are errors (sections 5.1 and 5.2).
    if ((first & 0x70) !== 0 || (second & 0x80) === 0 || (opcode > 0x2 && opcode < 0x8) || opcode > 0xa) return { kind: 'refused', code: closeCodes.protocolError };
    if (opcode <= 0x2) return { kind: 'refused', code: closeCodes.unacceptable };
    if (!whole || length > longestControlBytes) return { kind: 'refused', code: closeCodes.protocolError };
    const end = 6 + length;
    if (this.#pending.length < end) return undefined;
    const mask = this.#pending.subarray(2, 6);
    const payload = Buffer.from(this.#pending.subarray(6, end).map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
    this.#pending = this.#pending.subarray(end);
    if (opcode === opcodes.close) return { kind: 'close' };
    return { kind: opcode === opcodes.ping ? 'ping' : 'pong', payload };
  }
}
