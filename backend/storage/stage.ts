/** Takes a message's bytes into a storage and finds its structure on the way. */
import { Failure } from '../../shared/base/failure.ts';
import { MessageScanner } from '../../shared/mime/scan.ts';
import type { MessageStructure } from '../../shared/mime/structure.ts';
import type { MessageBytes, StagedBytes } from './packs.ts';
import type { StagedMessage } from './interface.ts';
import { keptStructure } from './structure-texts.ts';
import type { KeptStructure } from './structure-texts.ts';
import { threadKeys } from './threads.ts';
import type { Volume } from './volume.ts';

/** Sizes are kept in 32 bits. */
const largestMessageBytes = 2 ** 32 - 1;

/** What was found in the bytes of a message. */
interface Scanned {
  readonly structure: MessageStructure;
  /** See `KeptStructure`. */
  readonly fields: Buffer | undefined;
}

/** A message whose bytes are in a pack of `volume`. */
export class StoredStage implements StagedMessage {
  readonly volume: Volume;
  readonly bytes: StagedBytes;
  readonly structure: MessageStructure;
  readonly keptStructure: KeptStructure;
  readonly threadKeys: readonly string[];
  /** Set by an append, so that later ones share the message; it may be gone again, or its transaction have failed. */
  messageId: number | undefined;
  readonly #copies = new Map<Volume, Promise<StoredStage>>();

  constructor(volume: Volume, bytes: StagedBytes, { structure, fields }: Scanned) {
    this.volume = volume;
    this.bytes = bytes;
    this.structure = structure;
    this.keptStructure = keptStructure(structure, fields);
    this.threadKeys = threadKeys(structure);
  }

  get size(): number {
    return this.bytes.place.length;
  }

  get digest(): Buffer {
    return this.bytes.digest;
  }

  /** The same message in another storage; its bytes are copied once. */
  in(volume: Volume, owner: string): Promise<StoredStage> {
    if (volume === this.volume) return Promise.resolve(this);
    const known = this.#copies.get(volume);
    if (known !== undefined) return known;
    const copying = this.#copyTo(volume, owner);
    this.#copies.set(volume, copying);
    copying.catch(() => this.#copies.delete(volume)); // the caller hears of the failure; the next one tries again
    return copying;
  }

  async #copyTo(volume: Volume, owner: string): Promise<StoredStage> {
    await volume.space.check();
    const bytes = await volume.packs.stage(this.volume.packs.pieces(this.bytes.place), { maxBytes: this.size, owner });
    return new StoredStage(volume, bytes, { structure: this.structure, fields: this.keptStructure.fields });
  }

  async discard(): Promise<void> {
    this.bytes.done();
    const copies = await Promise.allSettled(this.#copies.values());
    for (const copy of copies) if (copy.status === 'fulfilled') copy.value.bytes.done();
  }
}

/** Writes the source's bytes into a pack of `volume`. Throws `message-too-big`, `storage-full`, `storage-failure`, or what the source threw. */
export async function stageMessage(volume: Volume, source: MessageBytes, options: { readonly owner: string; readonly maxBytes: number }): Promise<StoredStage> {
  await volume.space.check();
  const scanner = new MessageScanner();
  const bytes = await volume.packs.stage(source, {
    owner: options.owner,
    maxBytes: Math.min(options.maxBytes, largestMessageBytes),
    onChunk: (chunk) => scanner.write(chunk),
  });
  try {
    return new StoredStage(volume, bytes, { structure: scanner.end(), fields: scanner.keptFields });
  } catch (error) {
    bytes.done();
    throw error;
  }
}

/** The stage behind a `StagedMessage`, which only storages make. */
export function stageOf(staged: StagedMessage): StoredStage {
  if (staged instanceof StoredStage) return staged;
  throw new Failure('bad-input', 'message was not staged in a storage');
}
