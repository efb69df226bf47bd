/** One mailbox, open for work: questions are answered from one snapshot, changes go through one transaction. */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import type { StringForm } from '../../shared/imap/strings.ts';
import { decodeHead } from '../../shared/mime/encode-structure.ts';
import { takeFields } from '../../shared/mime/kept-fields.ts';
import type { FieldChoice } from '../../shared/mime/kept-fields.ts';
import type { MessageHead } from '../../shared/mime/structure.ts';
import { changeAccount } from './account-change.ts';
import type { AccountHandle } from './account-change.ts';
import { enterGuarded, enterMessages, enterTogether, noteNameOf, prepareMessages } from './append.ts';
import { changeFlags, deletedOf } from './change-flags.ts';
import { copyMessages, moveMessages } from './copy-move.ts';
import { getMailbox } from './entries.ts';
import type { MailboxEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import { expungeMessages } from './expunge.ts';
import { blockOf } from './keys.ts';
import { StoredLots } from './lots.ts';
import { keepLateFields } from './late-fields.ts';
import { PackedMessage } from './packed-message.ts';
import type { MessageReader } from './packed-message.ts';
import type { SeriesMemory } from './packs.ts';
import { sizesOf } from './message-sizes.ts';
import { blocksNow, denseBlocksNow, findRowNow, ownerOf, rowsChangedSince } from './mailbox-rows.ts';
import type { UidRange } from './mailbox-rows.ts';
import { collectRows, collectUids, decodeUidRanges, findRow } from './row-block.ts';
import { rowsWithin } from './row-list.ts';
import { specialUsesOf } from './special-use.ts';
import type { AppendedMessage, AppendGuard, AppendResult, CopyResult, FlagChange, FlagMask, FlagOutcome, Lots, Mailbox, MailboxChanges, MailboxState, MeasuredMailbox, MessageRow, OpenedState, RowList, StoredMessage, StructureItem } from './interface.ts';
import { keptWords, madeWords } from './structure-texts.ts';

const highestUid = 2 ** 32 - 1;
const urlKeyBytes = 32;

/** So long the name by which a mailbox was found is taken to be its name still, milliseconds: the message that is to come in may be minutes on its way, and the mailbox be renamed meanwhile. */
const nameHoldsMs = 100;

export class StoredMailbox implements Mailbox {
  readonly id: number;
  readonly accountId: string;
  readonly directory: string;
  readonly opening: number;
  readonly #account: AccountHandle;
  readonly #foundAs: string | undefined;
  readonly #foundAtMs = performance.now();

  /** @param foundAs its name, where it was found by that */
  constructor(account: AccountHandle, id: number, foundAs?: string) {
    this.#account = account;
    this.id = id;
    this.#foundAs = foundAs;
    this.accountId = account.id;
    this.directory = dirname(account.volume.environment.path);
    this.opening = account.volume.opening;
  }

  state(): MailboxState {
    return this.#account.volume.environment.read(() => stateOf(this.#account, this.#entry()));
  }

  latest(): Pick<MailboxState, 'uidValidity' | 'highestModseq' | 'keywords'> {
    return this.#account.volume.environment.read(() => this.#entry());
  }

  #entry(): MailboxEntry {
    const entry = getMailbox(this.#account.volume.tables, this.id);
    if (entry === undefined) throw new Failure('mailbox-missing', 'mailbox does not exist');
    return entry;
  }

  rows(fromUid = 1, toUid: number = highestUid): MessageRow[] {
    return this.#account.volume.environment.read(() => this.#collect({ fromUid, toUid }));
  }

  rowList(range: UidRange & { readonly count: number }): RowList {
    return this.#account.volume.environment.read(() => rowsWithin(this.#allOf(range), range));
  }

  row(uid: number): MessageRow | undefined {
    return this.#account.volume.environment.read(() => findRowNow(this.#account.volume.tables, this.id, uid));
  }

  changesSince(modseq: number): MailboxChanges {
    return this.#account.volume.environment.read(() => this.#changesSince(modseq));
  }

  #changesSince(modseq: number): MailboxChanges {
    const { tables } = this.#account.volume;
    const entry = getMailbox(tables, this.id);
    if (entry === undefined || entry.highestModseq <= modseq) return { changed: [], vanished: [], keywords: entry?.keywords ?? [] };
    const later = { ...keysUnder([this.id]), from: [this.id, modseq + 1] };
    const vanished = tables.expunged.range(later).flatMap(({ value }) => decodeUidRanges(value)).sort((one, other) => one - other);
    return { changed: rowsChangedSince(tables, entry, modseq), vanished, keywords: entry.keywords };
  }

  message(uid: number): StoredMessage | undefined {
    return this.#message(uid, this.#account.volume.packs);
  }

  series(): (uid: number) => StoredMessage | undefined {
    const packs = this.#account.volume.packs.series('own');
    return (uid) => this.#message(uid, packs);
  }

  byteSeries(memory: SeriesMemory): (row: MessageRow) => StoredMessage | undefined {
    const { environment, messages, packs } = this.#account.volume;
    const reader: MessageReader = { environment, messages, packs: packs.series(memory) };
    return ({ messageId }) => environment.read(() => {
      const place = messages.place(messageId);
      return place === undefined ? undefined : new PackedMessage(reader, { messageId, place });
    });
  }

  #message(uid: number, packs: MessageReader['packs']): StoredMessage | undefined {
    const { environment, messages } = this.#account.volume;
    return environment.read(() => {
      const messageId = this.#messageId(uid);
      if (messageId === undefined) return undefined;
      const place = messages.place(messageId);
      const structure = messages.structure(messageId);
      return place === undefined || structure === undefined ? undefined : new PackedMessage({ environment, messages, packs }, { messageId, place, structure });
    });
  }

  heads(rows: readonly MessageRow[]): (MessageHead | undefined)[] {
    const { environment, messages } = this.#account.volume;
    return environment.read(() => rows.map(({ messageId }) => {
      const structure = messages.structure(messageId);
      return structure === undefined ? undefined : decodeHead(structure);
    }));
  }

  structureTexts(item: StructureItem, form: StringForm): (row: MessageRow) => string | undefined {
    const { messages } = this.#account.volume;
    const texts = messages.textsOfMany(keptWords(item));
    return ({ messageId }) => {
      const kept = texts.of(messageId);
      if (kept !== undefined) return kept;
      const encoded = messages.structure(messageId);
      return encoded === undefined ? undefined : madeWords(encoded, item, form);
    };
  }

  headerFields(choice: FieldChoice): (row: MessageRow) => string | undefined {
    const { messages } = this.#account.volume;
    const fields = messages.fieldsOfMany((kept, length) => takeFields(kept.toString('latin1', 0, length), choice));
    return ({ messageId }) => fields.of(messageId);
  }

  async keepFields(rows: readonly MessageRow[]): Promise<void> {
    await keepLateFields(this.#account.volume, rows, this.series());
  }

  opened(): { readonly state: OpenedState; readonly uids: readonly number[] } {
    return this.#account.volume.environment.read(() => {
      const entry = this.#entry();
      const { uidValidity, uidNext, highestModseq, unseen, keywords, mailboxId } = entry;
      const recentFrom = this.#account.volume.recentMarks.of(entry);
      return { state: { uidValidity, uidNext, highestModseq, unseen, keywords, mailboxId, recentFrom }, uids: this.#uids(entry) };
    });
  }

  measured(): MeasuredMailbox {
    return this.#account.volume.environment.read(() => {
      const entry = this.#entry();
      const uids = this.#uids(entry);
      const { sizes, sum } = sizesOf(uids, () => this.#allOf({ fromUid: 1, toUid: uids.at(-1) ?? 0, count: uids.length }));
      return { uidValidity: entry.uidValidity, uids, sizes, bytes: sum };
    });
  }

  uids(): readonly number[] {
    const { environment, tables } = this.#account.volume;
    return environment.read(() => this.#uids(getMailbox(tables, this.id)));
  }

  #uids(entry: MailboxEntry | undefined): readonly number[] {
    const { tables, uidLists } = this.#account.volume;
    const all = (): number[] => {
      const uids: number[] = [];
      for (const { value } of tables.rows.range(keysUnder([this.id]))) collectUids(value, uids);
      return uids;
    };
    return uidLists.of(this.id, { highestModseq: entry?.highestModseq ?? 0, all, changesSince: (modseq) => this.#changesSince(modseq) });
  }

  async append(messages: readonly AppendedMessage[], guard?: AppendGuard): Promise<AppendResult> {
    const arrivals = await prepareMessages(this.#account, this.#noteName(), messages);
    return enterTogether(this.#account, arrivals, (account) => enterGuarded(account, { mailboxId: this.id, arrivals }, guard));
  }

  #noteName(): string {
    const isFresh = performance.now() - this.#foundAtMs < nameHoldsMs;
    return isFresh && this.#foundAs !== undefined ? this.#foundAs : noteNameOf(this.#account, this.id);
  }

  lots(): Lots {
    return new StoredLots(this.#account, this.id);
  }

  async replace(uid: number, message: AppendedMessage, target: Mailbox): Promise<AppendResult | undefined> {
    const into = this.#sibling(target);
    const arrivals = await prepareMessages(this.#account, into.#noteName(), [message]);
    return enterTogether(this.#account, arrivals, (account) => {
      if (expungeMessages(account, this.id, [uid]).uids.length === 0) return undefined;
      return enterMessages(account, into.id, arrivals);
    });
  }

  changeFlags(uids: readonly number[], change: FlagChange): Promise<FlagOutcome> {
    return changeAccount(this.#account, (account) => changeFlags(account.mailbox(this.id), uids, change));
  }

  expunge(uids: readonly number[], which: 'all' | 'deleted' = 'all'): Promise<{ readonly uids: number[]; readonly modseq: number }> {
    return changeAccount(this.#account, (account) => expungeMessages(account, this.id, which === 'all' ? uids : deletedOf(account.mailbox(this.id), uids)));
  }

  urlKey(): Buffer | undefined {
    const { environment, tables } = this.#account.volume;
    const key = environment.read(() => getMailbox(tables, this.id))?.urlKey;
    return key === undefined ? undefined : Buffer.from(key, 'base64');
  }

  async ensureUrlKey(): Promise<Buffer> {
    const known = this.urlKey();
    if (known !== undefined) return known;
    const made = randomBytes(urlKeyBytes).toString('base64');
    return changeAccount(this.#account, (account) => {
      const mailbox = account.mailbox(this.id);
      if (mailbox.entry.urlKey === undefined) mailbox.setUrlKey(made);
      return Buffer.from(mailbox.entry.urlKey ?? made, 'base64');
    });
  }

  async dropUrlKey(): Promise<void> {
    if (this.urlKey() !== undefined) await changeAccount(this.#account, (account) => account.mailbox(this.id).setUrlKey(undefined));
  }

  async noteTold(uid: number): Promise<void> {
    await this.#account.volume.recentMarks.told(this.id, uid);
  }

  async copyTo(uids: readonly number[], target: Mailbox, within?: FlagMask): Promise<CopyResult> {
    const into = this.#sibling(target);
    await this.#account.volume.space.check();
    return changeAccount(this.#account, (change) => copyMessages(change, { source: this.id, target: into.id, uids, within }));
  }

  async moveTo(uids: readonly number[], target: Mailbox, within?: FlagMask): Promise<CopyResult> {
    const into = this.#sibling(target);
    return changeAccount(this.#account, (change) => moveMessages(change, { source: this.id, target: into.id, uids, within }));
  }

  #sibling(target: Mailbox): StoredMailbox {
    if (target instanceof StoredMailbox && target.#account.id === this.#account.id) return target;
    throw new Failure('bad-input', 'messages can be copied only within one account');
  }

  /** That never changes: the row in its block is enough. */
  #messageId(uid: number): number | undefined {
    const block = this.#account.volume.tables.rows.peek([this.id, blockOf(uid)]);
    return block === undefined ? undefined : findRow(block, uid)?.messageId;
  }

  #collect(range: UidRange): MessageRow[] {
    const rows: MessageRow[] = [];
    for (const block of this.#blocks(range)) collectRows(block, { ...range, sinceModseq: 0 }, rows);
    return rows;
  }

  /** The blocks of the range, one after the other. */
  #allOf(range: UidRange & { readonly count: number }): Buffer {
    const { tables } = this.#account.volume;
    return denseBlocksNow(tables, ownerOf(tables, this.id), range) ?? Buffer.concat(this.#blocks(range));
  }

  #blocks(range: UidRange): Buffer[] {
    const { tables } = this.#account.volume;
    return blocksNow(tables, ownerOf(tables, this.id), range).map(({ block }) => block);
  }
}

/** What the face shows of an entry. Call it inside `read`. */
export function stateOf(account: AccountHandle, entry: MailboxEntry): MailboxState {
  const { id, name, uidValidity, uidNext, highestModseq, messages, unseen, deleted, bytes, keywords, mailboxId } = entry;
  const subscribed = account.volume.tables.subscriptions.get([account.number, name]) !== undefined;
  const specialUses = specialUsesOf(entry);
  const recentFrom = account.volume.recentMarks.of(entry);
  return { id, name, uidValidity, uidNext, highestModseq, messages, unseen, deleted, bytes, keywords, mailboxId, specialUses, subscribed, recentFrom };
}
