/** Takes a message's bytes into a storage and finds its structure: on the way, or later where they are all here. */
import { Failure } from '../../shared/base/failure.ts';
import { MessageScanner } from '../../shared/mime/scan.ts';
import type { StagedMessage } from './interface.ts';
import { LateScan, lookLater } from './late-scan.ts';
import { isHere } from './packs.ts';
import type { MessageBytes, StagedBytes, StageOptions } from './packs.ts';
import { scannedBy } from './scanned-message.ts';
import type { ScannedMessage } from './scanned-message.ts';
import { keptStructure } from './structure-texts.ts';
import type { KeptStructure } from './structure-texts.ts';
import { threadKeys } from './threads.ts';
import type { Volume } from './volume.ts';

/** Sizes are kept in 32 bits. */
const largestMessageBytes = 2 ** 32 - 1;

/** What the index keeps of a message's structure. */
interface Findings {
  readonly scanned: ScannedMessage;
  readonly keptStructure: KeptStructure;
  readonly threadKeys: readonly string[];
}

/** A message whose bytes are in a pack of `volume`. */
export class StoredStage implements StagedMessage {
  readonly volume: Volume;
  readonly bytes: StagedBytes;
  #look: { readonly state: 'to come'; readonly scan: LateScan } | { readonly state: 'done'; readonly findings: Findings };
  /** Set by an append, so that later ones share the message; it may be gone again, or its transaction have failed. */
  messageId: number | undefined;
  readonly #copies = new Map<Volume, Promise<StoredStage>>();

  constructor(volume: Volume, bytes: StagedBytes, scan: LateScan | ScannedMessage) {
    this.volume = volume;
    this.bytes = bytes;
    this.#look = scan instanceof LateScan ? { state: 'to come', scan } : { state: 'done', findings: findingsOf(scan) };
  }

  /** Looked for with the first question: ask while the pack is being written, rather than inside a transaction. */
  get findings(): Findings {
    if (this.#look.state === 'done') return this.#look.findings;
    const findings = findingsOf(this.#look.scan.end());
    this.#look = { state: 'done', findings };
    return findings;
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
    return new StoredStage(volume, bytes, this.findings.scanned);
  }

  async discard(): Promise<void> {
    this.bytes.done();
    if (this.#look.state === 'to come') this.#look.scan.drop();
    const copies = await Promise.allSettled(this.#copies.values());
    for (const copy of copies) if (copy.status === 'fulfilled') copy.value.bytes.done();
  }
}

/** Brings the source's bytes to a pack of `volume`. Throws `message-too-big`, `storage-full`, `storage-failure`, or what the source threw. */
export async function stageMessage(volume: Volume, source: MessageBytes, options: { readonly owner: string; readonly maxBytes: number }): Promise<StoredStage> {
  await volume.space.check();
  const staging = { owner: options.owner, maxBytes: Math.min(options.maxBytes, largestMessageBytes) };
  return isHere(source) ? stageWhole(volume, source, staging) : stageStream(volume, source, staging);
}

async function stageWhole(volume: Volume, pieces: readonly Buffer[], staging: StageOptions): Promise<StoredStage> {
  const bytes = await volume.packs.stage(pieces, staging);
  return keeping(bytes, () => new StoredStage(volume, bytes, lookLater(pieces, bytes.place.length)));
}

async function stageStream(volume: Volume, source: MessageBytes, staging: StageOptions): Promise<StoredStage> {
  const scanner = new MessageScanner();
  const bytes = await volume.packs.stage(source, { ...staging, onChunk: (chunk) => scanner.write(chunk) });
  return keeping(bytes, () => new StoredStage(volume, bytes, scannedBy(scanner)));
}

/** The bytes are done with when their stage can't be made. */
function keeping(bytes: StagedBytes, make: () => StoredStage): StoredStage {
  try {
    return make();
  } catch (error) {
    bytes.done();
    throw error;
  }
}

function findingsOf(scanned: ScannedMessage): Findings {
  const { structure, fields } = scanned;
  return { scanned, keptStructure: keptStructure(structure, fields), threadKeys: threadKeys(structure) };
}

/** The stage behind a `StagedMessage`, which only storages make. */
export function stageOf(staged: StagedMessage): StoredStage {
  if (staged instanceof StoredStage) return staged;
  throw new Failure('bad-input', 'message was not staged in a storage');
}
