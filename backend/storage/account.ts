/** One account: its mailboxes, subscriptions and use. */
import type { AccountAct } from '../../shared/admin-api/account-act.ts';
import { Failure } from '../../shared/base/failure.ts';
import { checkSubscriptions } from './account-bounds.ts';
import { changeAccount } from './account-change.ts';
import type { AccountHandle } from './account-change.ts';
import { StoredAnnotations } from './annotations.ts';
import { enterGuarded, enterTogether, prepareMessages } from './append.ts';
import { getAccount, getActs, getMailbox, isHeld, limitsOf, mailboxIdOf, sessionEpochOf, termsOf } from './entries.ts';
import type { AccountEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { Account, AccountTerms, Annotations, AppendedMessage, AppendGuard, AppendResult, DeliveryRecords, Mailbox, MailboxState, StagedMessage } from './interface.ts';
import { noValue } from './keys.ts';
import { stateOf, StoredMailbox } from './mailbox.ts';
import { canonicalName, checkedName, compareNames, isHidden } from './mailbox-name.ts';
import { changeRightsOf, rightsAlong } from './mailbox-rights.ts';
import { createMailbox, deleteMailbox, renameMailbox } from './mailbox-tree.ts';
import type { MessageBytes } from './packs.ts';
import type { FolderRights, RightsEntry } from './rights.ts';
import { stageMessage } from './stage.ts';
import { deliveryRecordsOf, notHereForNow } from './volume.ts';
import type { Volume } from './volume.ts';

export class StoredAccount implements Account, AccountHandle {
  readonly volume: Volume;
  readonly number: number;
  readonly id: string;
  readonly address: string;
  readonly epoch: number;
  readonly sessionEpoch: number;
  readonly deliveryRecords: DeliveryRecords;
  readonly annotations: Annotations;

  constructor(volume: Volume, entry: AccountEntry) {
    this.volume = volume;
    this.number = entry.number;
    this.id = entry.id;
    this.address = entry.address;
    this.epoch = entry.epoch;
    this.sessionEpoch = sessionEpochOf(entry);
    this.deliveryRecords = deliveryRecordsOf(volume);
    this.annotations = new StoredAnnotations(this);
  }

  async stage(source: MessageBytes, maxBytes: number): Promise<StagedMessage> {
    if (this.volume.use.state === 'leaving') throw notHereForNow();
    return stageMessage(this.volume, source, { owner: this.address, maxBytes });
  }

  standing(): 'live' | 'held' | 'barred' | 'gone' | 'away' {
    if (this.volume.use.state === 'leaving') return 'away';
    const entry = this.#entry();
    if (entry === undefined || entry.number !== this.number || entry.epoch !== this.epoch) return 'gone';
    if (entry.movedTo !== undefined || entry.arriving !== undefined || entry.withdrawn !== undefined) return 'gone';
    if (isHeld(entry)) return 'held';
    return termsOf(entry).status === 'active' ? 'live' : 'barred';
  }

  atOneMoment<T>(questions: () => T): T {
    return this.volume.environment.atOneMoment(questions);
  }

  acts(): readonly AccountAct[] {
    const { environment, tables } = this.volume;
    return environment.read(() => getActs(tables, this.number));
  }

  terms(): AccountTerms {
    return termsOf(this.#entry());
  }

  aliases(): readonly string[] {
    return this.#entry()?.aliases ?? [];
  }

  #entry(): AccountEntry | undefined {
    const { environment, tables } = this.volume;
    return environment.read(() => getAccount(tables, this.address));
  }

  mailboxes(): MailboxState[] {
    const { environment, tables } = this.volume;
    return environment.read(() => {
      const ids = tables.names.range(keysUnder([this.number])).map(({ value }) => Number(value.toString()));
      const entries = ids.flatMap((id) => getMailbox(tables, id) ?? []);
      return entries.filter(({ name }) => !isHidden(name)).sort((one, other) => compareNames(one.name, other.name)).map((entry) => stateOf(this, entry));
    });
  }

  mailbox(name: string): Mailbox | undefined {
    const { environment, tables } = this.volume;
    const canonical = canonicalName(name);
    if (Buffer.byteLength(canonical) > 1000 || isHidden(canonical)) return undefined; // longer than any key, or nobody's to name
    const id = environment.read(() => mailboxIdOf(tables, this.number, canonical));
    return id === undefined ? undefined : new StoredMailbox(this, id, canonical);
  }

  mailboxById(id: number): Mailbox | undefined {
    const { environment, tables } = this.volume;
    const entry = environment.read(() => getMailbox(tables, id));
    return entry?.account === this.number && !isHidden(entry.name) ? new StoredMailbox(this, id) : undefined;
  }

  async deliver(messages: readonly AppendedMessage[], guard?: AppendGuard): Promise<AppendResult> {
    const arrivals = await prepareMessages(this, 'INBOX', messages);
    return enterTogether(this, arrivals, (change) => {
      const mailboxId = mailboxIdOf(this.volume.tables, this.number, 'INBOX');
      if (mailboxId === undefined) throw new Failure('storage-failure', 'the account has no INBOX');
      return enterGuarded(change, { mailboxId, arrivals }, guard);
    });
  }

  async createMailbox(name: string, specialUses: readonly string[] = []): Promise<Mailbox> {
    await this.volume.space.check();
    const id = await changeAccount(this, (change) => createMailbox(change, name, specialUses));
    return new StoredMailbox(this, id);
  }

  renameMailbox(from: string, to: string): Promise<void> {
    return changeAccount(this, (change) => renameMailbox(change, from, to));
  }

  deleteMailbox(name: string): Promise<void> {
    return changeAccount(this, (change) => deleteMailbox(change, name));
  }

  folderRights(name: string): FolderRights {
    const { environment, tables } = this.volume;
    return environment.read(() => rightsAlong(tables, this.number, name));
  }

  async changeRights(name: string, who: string, to: (before: RightsEntry) => RightsEntry): Promise<void> {
    const canonical = checkedName(name);
    await changeAccount(this, (change) => changeRightsOf(change, canonical, { who, to }));
  }

  subscriptions(): string[] {
    const { environment, tables } = this.volume;
    const keys = environment.read(() => tables.subscriptions.range(keysUnder([this.number])));
    return keys.map(({ key }) => String(key[1])).sort(compareNames);
  }

  async setSubscribed(name: string, subscribed: 'yes' | 'no'): Promise<void> {
    const { subscriptions } = this.volume.tables;
    const key = [this.number, checkedName(name)];
    await changeAccount(this, (change) => {
      const isNew = subscriptions.get(key) === undefined;
      if (subscribed === 'yes') subscriptions.put(key, noValue);
      if (subscribed === 'yes' && isNew) checkSubscriptions(this.volume, this.number);
      if (subscribed === 'no') subscriptions.remove(key);
      change.noteListChange();
    });
  }

  passwordHash(): string | undefined {
    return this.#entry()?.password;
  }

  setPasswordHash(hash: string): Promise<void> {
    return changeAccount(this, (change) => change.setPassword(hash));
  }

  currentSessionEpoch(): number {
    const entry = this.#entry();
    return entry === undefined ? this.sessionEpoch : sessionEpochOf(entry);
  }

  endSessions(): Promise<number> {
    return changeAccount(this, (change) => change.endSessions());
  }

  quota(): { readonly bytes: number; readonly messages: number; readonly bytesLimit: number; readonly messagesLimit: number } {
    const entry = this.#entry();
    const limits = limitsOf(entry, this.volume.limitsOf(this.address));
    return { bytes: entry?.bytes ?? 0, messages: entry?.messages ?? 0, bytesLimit: limits.bytes, messagesLimit: limits.messages };
  }
}
