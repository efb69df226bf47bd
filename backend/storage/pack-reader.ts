/** Reads pack files by position and keeps the most used ones open. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { Failure } from '../../shared/base/failure.ts';

const filesKeptOpen = 128;
/** A deleted pack frees its space at the latest when nobody has read it for this long. */
const keptOpenMs = 5 * 60_000;

export class PackReader {
  readonly #pathOf: (pack: number) => string;
  readonly #handles: LRUCache<number, Promise<FileHandle>>;
  #use: 'open' | 'closed' = 'open';

  constructor(pathOf: (pack: number) => string) {
    this.#pathOf = pathOf;
    this.#handles = new LRUCache<number, Promise<FileHandle>>({
      max: filesKeptOpen,
      ttl: keptOpenMs,
      updateAgeOnGet: true,
      dispose: (handle) => void closeQuietly(handle), // waits for reads that have begun
    });
  }

  /** `length` bytes from `position` of that pack. Throws `storage-failure` when they are not there. */
  async read(pack: number, position: number, length: number): Promise<Buffer> {
    const bytes = await this.readInto(pack, position, Buffer.allocUnsafeSlow(length));
    if (bytes.length === length) return bytes;
    throw unreadable(new Error(`pack ${pack} ends at ${position + bytes.length}, inside a message`));
  }

  /** Fills the given bytes; answers what of them could be filled, which is less where the pack ends. */
  async readInto(pack: number, position: number, bytes: Buffer): Promise<Buffer> {
    try {
      return await this.#fill(pack, position, bytes);
    } catch (error) {
      if (!isClosedHandle(error)) throw unreadable(error);
      return await this.#retry(pack, position, bytes);
    }
  }

  async #retry(pack: number, position: number, bytes: Buffer): Promise<Buffer> {
    try {
      return await this.#fill(pack, position, bytes);
    } catch (error) {
      throw unreadable(error);
    }
  }

  /** What of `bytes` could be filled. */
  async #fill(pack: number, position: number, bytes: Buffer): Promise<Buffer> {
    const handle = await this.#handle(pack);
    for (let filled = 0; filled < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled);
      if (bytesRead === 0) return bytes.subarray(0, filled);
      filled += bytesRead;
    }
    return bytes;
  }

  #handle(pack: number): Promise<FileHandle> {
    const cached = this.#handles.get(pack);
    if (cached !== undefined) return cached;
    if (this.#use === 'closed') return Promise.reject(new Error('the packs are closed'));
    this.#handles.purgeStale();
    const opened = open(this.#pathOf(pack), 'r');
    this.#handles.set(pack, opened);
    opened.catch(() => this.#handles.delete(pack)); // the caller hears of the failure; the next one tries again
    return opened;
  }

  /** From now on nothing can be read. */
  close(): void {
    this.#use = 'closed';
    this.#handles.clear();
  }
}

function unreadable(cause: unknown): Failure {
  return new Failure('storage-failure', 'the message cannot be read', { cause });
}

async function closeQuietly(opening: Promise<FileHandle>): Promise<void> {
  const handle = await opening.catch(() => undefined); // who wanted it has been told
  await handle?.close().catch(() => undefined); // nothing was written by it
}

/** The cache may close a file between finding its handle and reading with it. */
function isClosedHandle(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EBADF';
}
