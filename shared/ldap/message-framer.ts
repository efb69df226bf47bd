/**
 * Cuts a byte stream into whole LDAP messages (RFC 4511 section 5.1: BER sequences of definite length), so that ldapjs never
 * sees a partial, oversized or foreign message: it would buffer without limit and copy what it has for each new piece.
 */

/** Thrown by `MessageFramer.write` when the peer doesn't speak LDAP, or a message is above the limit. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

const sequenceTag = 0x30;

/** An incremental framer; keeps at most one message in memory. */
export class MessageFramer {
  readonly #maxMessageBytes: () => number;
  #pieces: Buffer[] = [];
  #buffered = 0;

  /** @param maxMessageBytes asked for each message: the limit may grow when the peer logs in. */
  constructor(maxMessageBytes: () => number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Takes received bytes and returns the messages that became complete. @throws FramingError */
  write(chunk: Buffer): Buffer[] {
    this.#pieces.push(chunk);
    this.#buffered += chunk.length;
    const messages: Buffer[] = [];
    for (;;) {
      const length = this.#nextLength();
      if (length === undefined || length > this.#buffered) return messages;
      messages.push(this.#take(length));
    }
  }

  /** The whole length of the next message; undefined while its header is incomplete. */
  #nextLength(): number | undefined {
    const header = this.#peek(6);
    const [tag, first] = header;
    if (tag !== undefined && tag !== sequenceTag) throw new FramingError(`not an LDAP message: it begins with byte ${String(tag)}`);
    if (first === undefined) return undefined;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 4) throw new FramingError('a message of indefinite or absurd length');
    if (header.length < 2 + lengthBytes) return undefined;
    const content = lengthBytes === 0 ? first : header.readUIntBE(2, lengthBytes);
    const whole = 2 + lengthBytes + content;
    if (whole > this.#maxMessageBytes()) throw new FramingError(`a message of ${String(whole)} bytes is above the limit`);
    return whole;
  }

  #peek(count: number): Buffer {
    const first = this.#pieces[0];
    if (first === undefined) return Buffer.alloc(0);
    return first.length >= count || this.#pieces.length === 1 ? first.subarray(0, count) : this.#join().subarray(0, count);
  }

  #take(length: number): Buffer {
    const all = this.#join();
    this.#pieces = all.length > length ? [all.subarray(length)] : [];
    this.#buffered = all.length - length;
    return all.subarray(0, length);
  }

  #join(): Buffer {
    const only = this.#pieces[0];
    if (this.#pieces.length === 1 && only !== undefined) return only;
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}
