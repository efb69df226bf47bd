/**
 * Reads of connections without TLS into memory that is used again: Node gets 64 kB of new memory for each read, which costs a fifth of the
 * processor time of copying large messages. All connections of a process read into the same shared bytes, and what came is copied, as it is
 * little. A connection that fills them is in the middle of something large: its next read gets bytes lent to it alone. They belong to
 * the write that passes them on until its callback says that nobody looks at them any more, and are then lent to the next. A read that does not fill them
 * is the end of that, so that idle connections hold none. Reads are never directed to bytes that a write may still hold, since Node decides
 * right after a read where the next one of that connection goes (`onread.buffer` of net.connect), not before it.
 */
import * as net from 'node:net';
import type { AnySocket } from './connection.ts';
import { lend, lentLength } from './lent-bytes.ts';
import type { LentBytes } from './lent-bytes.ts';

export const readBytes = lentLength;

const shared = Buffer.allocUnsafeSlow(readBytes);

const reads = Symbol('reads');
type ReadSocket = AnySocket & { [reads]?: Reads };

class Reads {
  socket: net.Socket | undefined;
  /** Gets what comes, without the detour of 'data'. */
  sink: AnySocket | undefined;
  #lent: LentBytes | undefined;

  get next(): Buffer {
    return this.#lent?.bytes ?? shared;
  }

  /** False: read no more until somebody says `resume`. */
  take(length: number): boolean {
    const { socket, sink } = this;
    const bytes = this.next.subarray(0, length);
    // What waits in the stream goes first.
    if (sink === undefined || socket === undefined || socket.readableLength > 0) return socket?.push(Buffer.from(bytes)) ?? true;
    const lent = this.#lent;
    this.#lent = length === readBytes ? lend() : undefined;
    const wantsMore = lent === undefined ? sink.write(Buffer.from(bytes)) : sink.write(bytes, lent.giveBack);
    return wantsMore || sink.writableLength === 0;
  }
}

/** As `net.connect`. The socket is like any other, but for `pipeInto`. */
export function connectReusing(options: net.TcpNetConnectOpts): net.Socket {
  const own = new Reads();
  const socket = net.connect({ ...options, onread: { buffer: () => own.next, callback: (length) => own.take(length) } });
  own.socket = socket;
  return Object.assign(socket, { [reads]: own });
}

/**
 * From now on what comes is written to `sink` right away, where the socket was made for that. What had come before is still told by 'data'. When `sink` is full
 * reading stops until `resume`, which is to be called on its 'drain'.
 */
export function pipeInto(socket: AnySocket, sink: AnySocket): void {
  const own = (socket as ReadSocket)[reads];
  if (own !== undefined) own.sink = sink;
}
