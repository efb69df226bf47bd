/**
 * Repairs a storage while it is used: what the check finds is mended out of what is left, piece by piece, each in a transaction that
 * looks for itself once more. No bytes are thrown away: a message that can't be put where it was comes into `Lost and found`, or stays as
 * it is and is named. Cut off at any moment it has done a part, and the next run does the rest; on a sound storage it does nothing.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isFailure } from '../../../shared/base/failure.ts';
import { changeAccount } from '../account-change.ts';
import { StoredAccount } from '../account.ts';
import { checkStorage } from '../check/check-storage.ts';
import type { CheckOptions } from '../check/check-folder.ts';
import { isLoss } from '../check/findings.ts';
import type { Finding, FindingKind } from '../check/findings.ts';
import { getAccount } from '../entries.ts';
import { holdingPacks } from '../kept-folder.ts';
import type { KeptFolder } from '../kept-folder.ts';
import { packName } from '../pack-format.ts';
import type { Volume } from '../volume.ts';
import { accountsIn, dropDeadNames, mendMailbox, mendNames, mendUse, remakeMailbox } from './mend-mailbox.ts';
import { mendLedger, mendFields, mendReferences, mendStructure, ownerOf, relink, rescueOrphan } from './mend-messages.ts';
import type { Mended } from './mended.ts';
import { takeInventory } from './pack-inventory.ts';
import { dropDeadAnnotations, mendGrants, ownerOfRows, removeLeftOver } from './mend-left-over.ts';

export interface RepairOptions extends Pick<CheckOptions, 'report' | 'signal'> {
  /** Of messages whose bytes are gone: `keep` what the index knows of them, or take them out of their mailboxes, so that a backup can bring them back. */
  readonly lost: 'keep' | 'remove';
}

export interface RepairReport {
  readonly directory: string;
  /** How many things were wrong. */
  readonly found: number;
  readonly mended: readonly Mended[];
  /** What is wrong still: lost, doubtful, or of nobody who is known here. */
  readonly left: readonly Finding[];
}

/** Throws `storage-failure`, `storage-full`, or what the signal says. */
export async function repairStorage(volume: Volume, kept: KeptFolder, options: RepairOptions): Promise<RepairReport> {
  return holdingPacks(kept, async () => repaired(volume, kept, options)); // what the index does not name, and so counts as dead, may be what is looked for
}

async function repaired(volume: Volume, kept: KeptFolder, options: RepairOptions): Promise<RepairReport> {
  const { directory } = kept;
  const before = await checkStorage(kept, { ...options, mostFindings: Infinity });
  if (before.found === 0) return { directory, found: 0, mended: [], left: [] };
  const repair = new Repair(volume, directory, options);
  await repair.messages(before.findings);
  await repair.mailboxes(before.findings);
  // What was mended shows the next layer: counters of mailboxes that came back, charges of their accounts.
  for (let round = 0; round < mostRounds; round += 1) {
    const { findings } = await checkStorage(kept, { ...options, depth: 'index', mostFindings: Infinity });
    const done = repair.mended.length;
    await repair.messages(findings);
    await repair.mailboxes(findings);
    if (repair.mended.length === done) break;
  }
  const unread = before.findings.filter((finding) => finding.kind !== 'message-missing' && isLoss(finding));
  const removed = options.lost === 'remove' ? await repair.removeLost(unread) : new Set<Finding>();
  const after = await checkStorage(kept, { ...options, depth: 'index', mostFindings: Infinity });
  const missing = after.findings.filter(({ kind }) => kind === 'message-missing');
  if (options.lost === 'remove') for (const finding of await repair.removeLost(missing)) removed.add(finding);
  return { directory, found: before.found, mended: repair.mended, left: [...unread, ...after.findings].filter((finding) => !removed.has(finding)) };
}

/** More layers than damage has. */
const mostRounds = 5;

class Repair {
  readonly #volume: Volume;
  readonly #directory: string;
  readonly #options: RepairOptions;
  readonly mended: Mended[] = [];

  constructor(volume: Volume, directory: string, options: RepairOptions) {
    this.#volume = volume;
    this.#directory = directory;
    this.#options = options;
  }

  async messages(findings: readonly Finding[]): Promise<void> {
    const of = (kind: FindingKind): readonly Finding[] => findings.filter((finding) => finding.kind === kind);
    if (of('live-bytes-wrong').length > 0) await this.#note(mendLedger(this.#volume));
    await this.#remakeMailboxes(of('left-over'));
    await this.#relink(of('message-missing'));
    for (const { at } of of('structure-lost')) if (at?.message !== undefined) await this.#note(mendStructure(this.#volume, this.#directory, at.message));
    for (const { at } of of('fields-wrong')) if (at?.message !== undefined) await this.#note(mendFields(this.#volume, this.#directory, at.message));
    const suspects = [...of('references-wrong'), ...of('size-wrong'), ...of('message-missing')].flatMap(({ at }) => at?.message ?? []);
    await this.#note(mendReferences(this.#volume, new Set(suspects)));
    for (const { at } of of('orphan-message')) if (at?.message !== undefined) await this.#note(rescueOrphan(this.#volume, this.#directory, at.message));
  }

  async mailboxes(findings: readonly Finding[]): Promise<void> {
    for (const account of new Set(findings.flatMap(({ kind, at }) => (kind === 'names-wrong' ? (at?.account ?? []) : [])))) await this.#note(dropDeadNames(this.#volume, account));
    for (const { kind, at } of findings) {
      if (at?.mailbox === undefined || (kind !== 'names-wrong' && kind !== 'orphan-mailbox')) continue;
      await this.#note(mendNames(this.#volume, at.mailbox, await this.#ownerOfMailbox(at.mailbox)));
    }
    const counted: ReadonlySet<FindingKind> = new Set(['counters-wrong', 'uids-wrong', 'modseq-wrong', 'changes-wrong', 'size-wrong']);
    const mailboxes = new Set(findings.flatMap(({ kind, at }) => (counted.has(kind) ? (at?.mailbox ?? []) : [])));
    for (const mailbox of mailboxes) await this.#note(mendMailbox(this.#volume, mailbox));
    const accounts = this.#volume.environment.read(() => accountsIn(this.#volume.tables)).map(({ number }) => number);
    for (const account of accounts) await this.#note(mendUse(this.#volume, account));
    await this.#note(removeLeftOver(this.#volume, findings));
    if (findings.some(({ kind }) => kind === 'left-over')) await this.#note(dropDeadAnnotations(this.#volume));
    if (findings.some(({ kind }) => kind === 'grants-wrong')) await this.#note(mendGrants(this.#volume));
  }

  /** Takes messages out whose bytes are gone, as an expunge does; answers which. */
  async removeLost(findings: readonly Finding[]): Promise<Set<Finding>> {
    const removed = new Set<Finding>();
    for (const finding of findings) {
      if (this.#isGone(finding) && await this.#expunge(finding)) removed.add(finding);
    }
    return removed;
  }

  async #remakeMailboxes(leftOver: readonly Finding[]): Promise<void> {
    for (const id of new Set(leftOver.flatMap(({ at }) => at?.mailbox ?? []))) {
      await this.#note(remakeMailbox(this.#volume, id, await this.#ownerOfMailbox(id)));
      await this.#note(mendMailbox(this.#volume, id));
    }
  }

  async #relink(missing: readonly Finding[]): Promise<void> {
    if (missing.length === 0) return;
    const inventory = await takeInventory(this.#directory, this.#options);
    for (const place of this.#volume.environment.read(() => this.#volume.messages.places())) inventory.name(place);
    for (const { at, uid } of missing) {
      if (at?.mailbox !== undefined && uid !== undefined) await this.#note(relink(this.#volume, { directory: this.#directory, inventory }, { mailbox: at.mailbox, uid }));
    }
  }

  /** For whom the messages of a mailbox were written, where all that can be read say the same. */
  async #ownerOfMailbox(mailbox: number): Promise<string | undefined> {
    return ownerOfRows(this.#volume, mailbox, async (messageId) => ownerOf(this.#volume, this.#directory, messageId));
  }

  #isGone({ kind, at }: Finding): boolean {
    if (kind === 'pack-lost' || kind === 'message-missing') return true;
    const place = at?.message === undefined ? undefined : this.#volume.environment.read(() => this.#volume.messages.place(at.message ?? 0));
    if (kind !== 'record-torn' || place === undefined) return false;
    const size = statSync(join(this.#directory, 'packs', packName(place.pack)), { throwIfNoEntry: false })?.size ?? 0;
    return size < place.offset + place.length;
  }

  async #expunge({ account = '', mailbox, uid = 0, at, subject, messageId }: Finding): Promise<boolean> {
    const { environment, tables, messages } = this.#volume;
    const entry = environment.read(() => getAccount(tables, account));
    if (entry === undefined || at?.mailbox === undefined) return false;
    try {
      const isRemoved = await changeAccount(new StoredAccount(this.#volume, entry), (change) => {
        const open = change.mailbox(at.mailbox ?? 0);
        const row = open.row(uid);
        if (row === undefined || row.messageId !== at.message) return false;
        open.remove(row);
        if (messages.place(row.messageId) !== undefined) messages.release(row.messageId);
        return true;
      });
      if (isRemoved) this.mended.push({ account, mailbox, uid, subject, messageId, text: 'the message is taken out: its bytes are gone' });
      return isRemoved;
    } catch (error) {
      if (!isFailure(error)) throw error;
      return false; // an account that can't be changed now keeps it
    }
  }

  async #note(work: Promise<readonly Mended[]>): Promise<void> {
    this.#options.signal.throwIfAborted();
    for (const one of await work) this.mended.push(one);
  }
}
