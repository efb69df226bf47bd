/**
 * The bytes of messages on their way between two nodes: for each a line of JSON, then the message as it is stored, then the
 * SHA-256 of what was read from the disk. A message that is gone has a line only.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import type { Leaving } from '../storage/storage.ts';

const digestBytes = 32;
const longestLine = 64 * 1024 * 1024; // a structure may be large

const lineSchema = z.union([
  z.object({ id: z.number(), size: z.number().int().nonnegative(), structure: z.base64() }),
  z.object({ id: z.number(), gone: z.literal(true) }),
]);

/** One message of the stream: `bytes` must be read to the end before the next is asked for; after that `digest` answers. */
export type StreamedMessage =
  | { readonly kind: 'gone'; readonly messageId: number }
  | { readonly kind: 'message'; readonly messageId: number; readonly size: number; readonly structure: Buffer; readonly bytes: AsyncIterable<Buffer>; digest(): Promise<Buffer> };

export async function* encodeMessages(leaving: Leaving, address: string, ids: readonly number[]): AsyncGenerator<Buffer, void, void> {
  for (const id of ids) {
    const message = leaving.message(address, id);
    if (message === undefined) {
      yield line({ id, gone: true });
      continue;
    }
    yield line({ id, size: message.size, structure: message.structure.toString('base64') });
    const hash = createHash('sha256');
    for await (const piece of message.bytes()) {
      hash.update(piece);
      yield piece;
    }
    yield hash.digest();
  }
}

/** @throws Failure('backend-unavailable') when the stream ends early or makes no sense */
export async function* decodeMessages(source: AsyncIterable<Buffer>): AsyncGenerator<StreamedMessage, void, void> {
  const input = new Input(source);
  try {
    for (;;) {
      const text = await input.line();
      if (text === undefined) return;
      const told = lineSchema.parse(JSON.parse(text));
      if ('gone' in told) {
        yield { kind: 'gone', messageId: told.id };
        continue;
      }
      const structure = Buffer.from(told.structure, 'base64');
      yield { kind: 'message', messageId: told.id, size: told.size, structure, bytes: input.bytes(told.size), digest: async () => input.exactly(digestBytes) };
    }
  } finally {
    await input.end();
  }
}

function line(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Lines and counted bytes out of pieces. */
class Input {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#pieces = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string | undefined> {
    for (let from = 0; ;) {
      const end = this.#rest.indexOf(10, from);
      if (end >= 0) return this.#take(end + 1).toString('utf8', 0, end);
      from = this.#rest.length;
      if (from > longestLine) throw cut();
      if (!(await this.#more())) {
        if (from === 0) return undefined;
        throw cut();
      }
    }
  }

  async* bytes(length: number): AsyncGenerator<Buffer, void, void> {
    let left = length;
    while (left > 0) {
      if (this.#rest.length === 0 && !(await this.#more())) throw cut();
      const piece = this.#take(Math.min(left, this.#rest.length));
      left -= piece.length;
      yield piece;
    }
  }

  async exactly(length: number): Promise<Buffer> {
    while (this.#rest.length < length) if (!(await this.#more())) throw cut();
    return Buffer.from(this.#take(length));
  }

  async end(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #more(): Promise<boolean> {
    const next = await this.#pieces.next();
    if (next.done === true) return false;
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
    return true;
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}

function cut(): Failure {
  return new Failure('backend-unavailable', 'the messages of the other node end early');
}
