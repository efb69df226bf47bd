/**
 * Makes the index of a storage anew from its packs alone, for when it is lost: while nobody has the storage open. Each message comes
 * back into the mailbox to which it was delivered, or into which the last compaction found it, with the marks of then. What was done later is not in the packs: mail that was
 * removed comes back, mail that was moved lies where it came in. The old index is kept, the new one takes its name when it is whole.
 */
import { existsSync, linkSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '../../../shared/base/counted.ts';
import { Failure, isFailure } from '../../../shared/base/failure.ts';
import { AccountChange } from '../account-change.ts';
import { makeAccount } from '../accounts-table.ts';
import { StoredAccount } from '../account.ts';
import type { Finding } from '../check/findings.ts';
import { flush, makeDirectory } from '../directories.ts';
import { getAccount, mailboxIdOf, putAccount } from '../entries.ts';
import type { AccountEntry } from '../entries.ts';
import { environmentFile } from '../environment-file.ts';
import { keysUnder } from '../environment.ts';
import { makeScratch } from '../kept-folder.ts';
import { createMailbox } from '../mailbox-tree.ts';
import { packName } from '../pack-format.ts';
import { PackLedger } from '../pack-ledger.ts';
import { placeKey } from '../packs.ts';
import type { DeliveryNote } from '../packs.ts';
import { scanStream } from '../scanned-message.ts';
import type { ScannedMessage } from '../scanned-message.ts';
import { threadKeys, threadOf } from '../threads.ts';
import { noBounds } from '../account-bounds.ts';
import { asUnsettled } from '../unsettled-accounts.ts';
import { closeVolume, openVolumeOf } from '../volume.ts';
import type { Volume } from '../volume.ts';
import { lostAndFound } from './mended.ts';
import { takeInventory } from './pack-inventory.ts';
import type { InventoryOptions, PackDamage, PackInventory } from './pack-inventory.ts';
import { keptStructure } from '../structure-texts.ts';

export interface RebuildReport {
  readonly directory: string;
  readonly packs: number;
  readonly accounts: number;
  readonly messages: number;
  /** Of these, without a note of where they were delivered: they are in `Lost and found` of who they were written for. */
  readonly unplaced: number;
  /** Messages that were delivered once, and whose bytes are not there; and parts of packs that are no whole records. */
  readonly lost: readonly Finding[];
  /** Where the index that was there lies now. */
  readonly before: string | undefined;
  /** Packs with damage, kept beside the others. */
  readonly damagedPacks: readonly string[];
}

/** Deliveries that one transaction enters. */
const mostAtOnce = 200;
/** Where packs are kept of which not every byte is understood. */
const damagedFolder = 'damaged-packs';

/** The storage must be open nowhere. Throws `storage-failure`, also where there are no packs, as where a disk is not mounted: to make an empty index would be to say that there was nothing; `storage-full`, or what the signal says. */
export async function rebuildIndex(directory: string, options: InventoryOptions): Promise<RebuildReport> {
  const inventory = await takeInventory(directory, options);
  if (inventory.packs.length === 0) throw new Failure('storage-failure', `${directory} has no packs of messages: is all of it mounted? Nothing was changed. If no mail was there, or it is gone for good, begin anew: move all of the folder away, and say waybill storage lost ${directory}`);
  const scratch = makeScratch(directory);
  try {
    const draft = join(scratch.path, 'index');
    const volume = openVolumeOf({ index: draft, packs: join(directory, 'packs') }, { hints: { publish: () => undefined, subscribe: () => () => undefined }, reserveBytes: 0, limitsOf: () => ({ bytes: 0, messages: 0 }), bounds: noBounds });
    const build = new Build(volume, inventory, options);
    try {
      await build.run();
    } finally {
      await closeVolume(volume);
    }
    const damagedPacks = keepDamaged(directory, inventory.damage);
    const before = putInPlace(directory, draft);
    return { directory, packs: inventory.packs.length, accounts: build.accounts.size, messages: build.messages, unplaced: build.unplaced, lost: [...build.lost, ...inventory.damage.map(describeDamage)], before, damagedPacks };
  } finally {
    scratch.remove();
  }
}

class Build {
  readonly #volume: Volume;
  readonly #inventory: PackInventory;
  readonly #options: InventoryOptions;
  readonly #numbers = new Map<string, { readonly messageId: number; readonly scanned: ScannedMessage }>();
  readonly accounts = new Set<string>();
  readonly lost: Finding[] = [];
  messages = 0;
  unplaced = 0;

  constructor(volume: Volume, inventory: PackInventory, options: InventoryOptions) {
    this.#volume = volume;
    this.#inventory = inventory;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { environment, tables } = this.#volume;
    await environment.write(() => {
      for (const number of this.#inventory.packs) new PackLedger(environment).know(number);
    });
    const latest = latestNotes(this.#inventory.notes.map(({ note }) => note), this.#inventory);
    await this.#enterAll(latest);
    const unplaced = this.#inventory.left().map(({ place, owner, writtenAtMs }) => ({ place, account: owner, mailbox: lostAndFound, internalDateMs: writtenAtMs, flags: 0, keywords: [] }));
    this.unplaced = unplaced.length;
    await this.#enterAll(unplaced);
    await environment.write(() => {
      for (const { value } of tables.accounts.range(keysUnder([]))) putAccount(tables, asUnsettled(JSON.parse(value.toString()) as AccountEntry));
    });
  }

  async #enterAll(notes: readonly DeliveryNote[]): Promise<void> {
    for (let at = 0; at < notes.length; at += mostAtOnce) {
      this.#options.signal.throwIfAborted();
      this.#options.report('enters messages into the new index', { bytes: at, of: notes.length });
      const ready: { readonly note: DeliveryNote; readonly scanned: ScannedMessage }[] = [];
      for (const note of notes.slice(at, at + mostAtOnce)) {
        const scanned = await this.#scannedOf(note);
        if (scanned !== undefined) ready.push({ note, scanned });
      }
      await this.#volume.environment.write(() => {
        for (const { note, scanned } of ready) this.#enter(note, scanned);
      });
      this.messages += ready.length;
    }
  }

  /** Undefined, and named as lost, when the bytes are not there. */
  async #scannedOf(note: DeliveryNote): Promise<ScannedMessage | undefined> {
    const known = this.#numbers.get(placeKey(note.place));
    if (known !== undefined) return known.scanned;
    const message = this.#inventory.at(note.place);
    if (message !== undefined) return scanStream(this.#volume.packs.pieces(message.place));
    this.lost.push({ kind: 'message-missing', account: note.account, mailbox: note.mailbox, pack: note.place.pack, text: `a message of ${counted(note.place.length, 'byte')} of ${new Date(note.internalDateMs).toISOString()}: its bytes are not there` });
    return undefined;
  }

  #enter({ place, account: address, mailbox: name, internalDateMs, flags, keywords }: DeliveryNote, scanned: ScannedMessage): void {
    const { tables, messages } = this.#volume;
    const entry = getAccount(tables, address) ?? makeAccount(this.#volume, address, 1);
    const change = new AccountChange(new StoredAccount(this.#volume, entry));
    const mailbox = change.mailbox(mailboxIdOf(tables, entry.number, name) ?? make(change, name));
    const known = this.#numbers.get(placeKey(place))?.messageId;
    const there = known === undefined ? undefined : messages.place(known);
    const isEntered = there !== undefined && placeKey(there) === placeKey(place); // not where the transaction was given up that entered it
    const messageId = known !== undefined && isEntered ? known : messages.add(place, keptStructure(scanned.structure, scanned.fields));
    if (isEntered) messages.retain(messageId);
    this.#numbers.set(placeKey(place), { messageId, scanned });
    this.#inventory.name(place);
    const threadId = threadOf(tables, change.number, { keys: threadKeys(scanned.structure), messageId });
    mailbox.add({ flags, keywords: mailbox.keywordBits(keywords, 'left-out'), size: place.length, internalDateMs, savedDateMs: internalDateMs, messageId, threadId });
    change.save('its-own');
    this.accounts.add(address);
  }
}

/** A name that no mailbox can have any more lies below the lost and found. */
function make(change: AccountChange, name: string): number {
  try {
    return createMailbox(change, name, []);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return mailboxIdOf(change.volume.tables, change.number, lostAndFound) ?? createMailbox(change, lostAndFound, []);
  }
}

/** A message that was copied lies at two places while its old pack is there: what was noted with the copy counts. */
function latestNotes(notes: readonly DeliveryNote[], inventory: PackInventory): readonly DeliveryNote[] {
  const left = new Set(notes.flatMap(({ place, copiedFrom }) => (copiedFrom === undefined || inventory.at(place) === undefined ? [] : [placeKey(copiedFrom)])));
  return notes.filter(({ place }) => {
    if (left.has(placeKey(place))) inventory.name(place);
    return !left.has(placeKey(place));
  });
}

function describeDamage({ pack, from, to, owner }: PackDamage): Finding {
  const where = to === Infinity ? `pack ${String(pack)} is no pack` : `pack ${String(pack)} has no whole record from byte ${String(from)} to ${String(to)}`;
  return { kind: 'record-torn', pack, account: owner, text: where };
}

/** Their files get a second name, so that no bytes go when nothing in them lives. */
function keepDamaged(directory: string, damage: readonly PackDamage[]): readonly string[] {
  const packs = [...new Set(damage.map(({ pack }) => pack))];
  if (packs.length === 0) return [];
  makeDirectory(join(directory, damagedFolder));
  const kept = packs.map((pack) => join(directory, damagedFolder, packName(pack)));
  for (const [index, path] of kept.entries()) if (!existsSync(path)) linkSync(join(directory, 'packs', packName(packs[index] ?? 0)), path);
  flush(join(directory, damagedFolder));
  return kept;
}

/** The new index takes the name of the old one at once; the old one is kept under another. */
function putInPlace(directory: string, draft: string): string | undefined {
  const index = join(directory, 'index');
  const file = join(index, environmentFile);
  flush(join(draft, environmentFile));
  if (!existsSync(index)) mkdirSync(index, { mode: 0o700 });
  const before = existsSync(file) ? `${file}.before-${new Date().toISOString().replaceAll(/[-:]|\.\d+/gu, '')}` : undefined;
  if (before !== undefined) linkSync(file, before);
  renameSync(join(draft, environmentFile), file);
  flush(index);
  flush(directory);
  return before;
}
