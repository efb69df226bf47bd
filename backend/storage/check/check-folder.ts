/**
 * Checks a folder with an index and packs, a storage or a queue, while it is used: the index is copied as of one commit, and what
 * it says of packs is compared with these, each record to the last byte. Nothing is changed.
 */
import { join } from 'node:path';
import { counted } from '../../../shared/base/counted.ts';
import type { Environment } from '../environment.ts';
import { demandRoom, freeze, makeScratch } from '../kept-folder.ts';
import type { KeptFolder } from '../kept-folder.ts';
import { namingDamage } from '../lost-index.ts';
import { packName } from '../pack-format.ts';
import { PackLedger } from '../pack-ledger.ts';
import type { PackPlace } from '../packs.ts';
import { Findings } from './findings.ts';
import type { Finding } from './findings.ts';
import { checkPack } from './pack-check.ts';
import type { RecordFault } from './pack-check.ts';

export interface CheckReport {
  readonly directory: string;
  readonly accounts: number;
  readonly mailboxes: number;
  readonly messages: number;
  /** Of all messages of all mailboxes. */
  readonly bytes: number;
  readonly packs: number;
  /** Some of them, lost mail first. */
  readonly findings: readonly Finding[];
  readonly found: number;
  /** How many of them are mail that is lost. */
  readonly lost: number;
}

export interface CheckOptions {
  readonly report: (text: string, done: { readonly bytes: number; readonly of: number }) => void;
  readonly signal: AbortSignal;
  /** `index`: packs are not read. */
  readonly depth?: 'whole' | 'index' | undefined;
  /** More findings are counted, not kept; some thousand when absent. */
  readonly mostFindings?: number | undefined;
}

/** What the index names in the packs. */
export interface Placed {
  readonly place: PackPlace;
}

/** What is wrong with the bytes of one of them. */
export interface PlaceFault<T extends Placed> {
  readonly of: T;
  readonly kind: RecordFault;
  readonly text: string;
}

/** The part of a check that knows what the index is about. */
export interface IndexReader<T extends Placed> {
  /** Reads the index, and says what it names. */
  read(environment: Environment, findings: Findings): Promise<{ readonly placed: readonly T[]; readonly tally: Pick<CheckReport, 'accounts' | 'mailboxes' | 'messages' | 'bytes'> }>;
  /** Names what the faults are about. */
  name(faults: readonly PlaceFault<T>[], findings: Findings): Promise<void>;
}

const words: Readonly<Record<RecordFault, string>> = {
  'pack-lost': 'is not there, or is no pack',
  'record-torn': 'has no whole record of it',
  'record-changed': 'has other bytes of it than were written',
};

/** Throws `storage-failure` when the check itself can't be made, as where LMDB can't read the index, and `storage-full`. */
export async function checkFolder<T extends Placed>(kept: KeptFolder, options: CheckOptions, reader: IndexReader<T>): Promise<CheckReport> {
  return checked(kept, options, reader).catch((error: unknown) => {
    throw namingDamage(error, kept);
  });
}

async function checked<T extends Placed>(kept: KeptFolder, options: CheckOptions, reader: IndexReader<T>): Promise<CheckReport> {
  const { directory } = kept;
  options.report(`copies the index of ${directory}`, { bytes: 0, of: 0 });
  await demandRoom(directory, kept.environment.usedBytes());
  const scratch = makeScratch(directory);
  try {
    const frozen = await freeze(kept, join(scratch.path, 'index'));
    try {
      const findings = new Findings(options.mostFindings);
      options.report(`reads the index of ${directory}`, { bytes: 0, of: 0 });
      const { placed, tally } = await reader.read(frozen.environment, findings);
      const packs = Map.groupBy(placed, ({ place }) => place.pack);
      checkLedger(new PackLedger(frozen.environment), packs, findings);
      await reader.name(options.depth === 'index' ? [] : await faultsIn(directory, packs, options), findings);
      return { directory, ...tally, packs: packs.size, findings: findings.kept, found: findings.count, lost: findings.lost };
    } finally {
      await frozen.release();
    }
  } finally {
    scratch.remove();
  }
}

function checkLedger(ledger: PackLedger, packs: ReadonlyMap<number, readonly Placed[]>, findings: Findings): void {
  const known = new Map(ledger.all().map(({ number, entry }) => [number, entry.liveBytes]));
  for (const number of new Set([...known.keys(), ...packs.keys()])) {
    const live = (packs.get(number) ?? []).reduce((sum, { place }) => sum + place.length, 0);
    if (known.get(number) !== live) findings.add({ kind: 'live-bytes-wrong', pack: number, text: `${String(known.get(number) ?? 'nothing')} by the counter, ${counted(live, 'byte')} there` });
  }
}

async function faultsIn<T extends Placed>(directory: string, packs: ReadonlyMap<number, readonly T[]>, { report, signal }: CheckOptions): Promise<readonly PlaceFault<T>[]> {
  const faults: PlaceFault<T>[] = [];
  const of = [...packs.values()].flat().reduce((sum, { place }) => sum + place.length, 0);
  let bytes = 0;
  for (const [number, placed] of packs) {
    signal.throwIfAborted();
    report(`reads the packs of ${directory}`, { bytes, of });
    await checkPack(join(directory, 'packs', packName(number)), placed, {
      onFault: (one, kind) => faults.push({ of: one, kind, text: `pack ${String(number)} ${words[kind]}` }),
      onBytes: (more) => {
        bytes += more;
        signal.throwIfAborted();
        report(`reads the packs of ${directory}`, { bytes, of });
      },
    });
  }
  return faults;
}
