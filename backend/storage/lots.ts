/**
 * Messages that enter a mailbox in lots and are seen there all at once: until then they lie in a mailbox of their own, which no list shows and no
 * client can name. They count for the account's quota meanwhile. Where that comes to nothing, or the process dies, nothing of them stays.
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { isAlive, thisProcess } from '../../shared/base/process-identity.ts';
import type { Logger } from '../../shared/log/log.ts';
import { changeAccount } from './account-change.ts';
import type { AccountChange, AccountHandle } from './account-change.ts';
import { enterMessages, enterTogether, noteNameOf, prepareMessages } from './append.ts';
import { takeOverMessages } from './copy-move.ts';
import { getAccount, getMailbox, putAccount, putMailbox, putName } from './entries.ts';
import type { AccountEntry, MailboxEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { AppendedMessage, AppendResult, Lots } from './interface.ts';
import { hiddenName, isHidden } from './mailbox-name.ts';
import { dropMessages, forgetRows, freshEntry } from './mailbox-tree.ts';
import { allRows } from './mailbox-rows.ts';
import type { Tables } from './keys.ts';
import type { Volume } from './volume.ts';
import { LockWait } from './write-lock.ts';

/** Of one hidden mailbox. */
interface LotsRecord {
  readonly address: string;
  /** The mailbox that they are for. */
  readonly target: number;
  /** Who fills it (`thisProcess`). */
  readonly process: string;
}

export class StoredLots implements Lots {
  readonly #account: AccountHandle;
  readonly #target: number;
  #hidden: number | undefined;

  constructor(account: AccountHandle, target: number) {
    this.#account = account;
    this.#target = target;
  }

  async add(messages: readonly AppendedMessage[]): Promise<void> {
    const arrivals = await prepareMessages(this.#account, noteNameOf(this.#account, this.#target), messages); // packs note the name of the mailbox that they are for
    this.#hidden = await enterTogether(this.#account, arrivals, (change) => {
      const id = this.#hidden ?? begin(change, this.#target);
      demandHidden(change.volume, id);
      enterMessages(change, id, arrivals);
      return id;
    });
  }

  show(): Promise<AppendResult> {
    return changeAccount(this.#account, (change) => {
      const { uidValidity } = change.mailbox(this.#target).entry;
      if (this.#hidden === undefined) return { uidValidity, uids: [] };
      const hidden = demandHidden(change.volume, this.#hidden);
      const uids = allRows(change.volume.tables, hidden.id).map(({ uid }) => uid);
      const result = takeOverMessages(change, { source: hidden.id, target: this.#target, uids });
      forgetRows(change.volume.tables, hidden.id);
      strike(change.volume, hidden);
      change.forget(hidden);
      return result;
    });
  }

  async forget(log: Logger): Promise<void> {
    const { volume } = this.#account;
    const id = this.#hidden;
    this.#hidden = undefined;
    if (id !== undefined) await tryDropping({ volume, id, log }, 0);
  }
}

/** Lots that are given up. */
interface GivenUp {
  readonly volume: Volume;
  readonly id: number;
  readonly log: Logger;
}

/** How long who gives up waits for a lock: it is tried again anyhow. */
const forgetPatienceMs = 1000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/**
 * Until it comes about they count for quota. What fails for the time being is tried again: after a second, then after twice as long each time, up to a
 * minute. What is at fault itself would fail for ever. Never rejects.
 */
async function tryDropping(lots: GivenUp, tries: number): Promise<void> {
  const { volume, id, log } = lots;
  if (tries > 0 && volume.use.state !== 'open') return; // a storage that is taken out or closed is swept by who opens it next
  try {
    await volume.environment.write(() => dropLots(volume, id), tries === 0 ? new LockWait(forgetPatienceMs) : undefined);
  } catch (error) {
    if (!isFailure(error)) return log.error({ err: error }, 'messages of a command that failed half-way could not be removed, by a fault: that is tried again when the storage is opened the next time');
    if (tries === 0) log.error({ err: error }, 'messages of a command that failed half-way could not be removed: that is tried again, also when the storage is opened the next time');
    setTimeout(() => void tryDropping(lots, tries + 1), Math.min(firstPauseMs * 2 ** tries, longestPauseMs)).unref();
  }
}

function begin(change: AccountChange, target: number): number {
  const { tables } = change.volume;
  const entry = freshEntry(change, hiddenName());
  putMailbox(tables, entry);
  putName(tables, entry);
  tables.lots.put([entry.id], Buffer.from(JSON.stringify({ address: change.address, target, process: thisProcess() } satisfies LotsRecord)));
  return entry.id;
}

/** A move of the account takes them away. Inside a transaction. */
function demandHidden({ tables }: Volume, id: number): MailboxEntry {
  const entry = getMailbox(tables, id);
  if (entry === undefined) throw new Failure('in-use', 'the mailbox was being moved meanwhile, try again in a moment');
  return entry;
}

/** What packs are to note as the name of the mailbox: of a hidden one, that of the mailbox that its messages are for. Inside `read` or `write`. */
export function nameToNote(tables: Tables, { id, name }: MailboxEntry): string {
  const { target } = JSON.parse(tables.lots.get([id])?.toString() ?? '{}') as Partial<LotsRecord>;
  return (target === undefined ? undefined : getMailbox(tables, target)?.name) ?? name;
}

function strike({ tables }: Volume, { id, account, name }: MailboxEntry): void {
  tables.names.remove([account, name]);
  tables.mailboxes.remove([id]);
  tables.lots.remove([id]);
}

/** Whatever became of the account. Inside `write`. */
function dropLots(volume: Volume, id: number): void {
  const { tables } = volume;
  const record = JSON.parse(tables.lots.get([id])?.toString() ?? '{}') as Partial<LotsRecord>;
  const entry = getMailbox(tables, id);
  tables.lots.remove([id]);
  if (entry === undefined) return;
  dropMessages(volume, id);
  strike(volume, entry);
  const account = ownerOf(volume, entry, record.address);
  if (account !== undefined) putAccount(tables, { ...account, bytes: account.bytes - entry.bytes, messages: account.messages - entry.messages });
}

/** It may have another address by now. */
function ownerOf({ tables }: Volume, { account: number }: MailboxEntry, address = ''): AccountEntry | undefined {
  const known = getAccount(tables, address);
  if (known?.number === number) return known;
  return tables.accounts.range(keysUnder([])).map(({ value }) => JSON.parse(value.toString()) as AccountEntry).find((entry) => entry.number === number);
}

/** Of an account that somebody holds to take it away: its copy must not have them. Answers the account without. Inside `write`. */
export function dropLotsOf(volume: Volume, account: AccountEntry): AccountEntry {
  const { tables } = volume;
  for (const { value } of tables.names.range(keysUnder([account.number]))) {
    const entry = getMailbox(tables, Number(value.toString()));
    if (entry !== undefined && isHidden(entry.name)) dropLots(volume, entry.id);
  }
  return getAccount(tables, account.address) ?? account;
}

/**
 * Drops what processes that have ended had begun. Answers how many mailboxes' worth that was. What a fault keeps from being dropped (a damaged record)
 * is left, and the log is told; the rest is dropped all the same. @throws Failure what concerns the whole storage
 */
export async function sweepLots(volume: Volume, log: Logger): Promise<number> {
  const { environment, tables } = volume;
  let dropped = 0;
  for (const { key: [id], value } of environment.read(() => tables.lots.range(keysUnder([])))) {
    try {
      if (isAlive((JSON.parse(value.toString()) as LotsRecord).process)) continue;
      await environment.write(() => dropLots(volume, Number(id)));
      dropped += 1;
    } catch (error) {
      if (isFailure(error, 'in-use')) continue; // locked for a snapshot: the next who opens it does it
      if (isFailure(error)) throw error; // no matter of this one alone
      log.error({ err: error, mailbox: id }, 'what is left of a copy that broke off half-way can not be removed, by a fault');
    }
  }
  return dropped;
}
