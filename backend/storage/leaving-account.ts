/** The side of a move that the account leaves: what is read of it, the hold for the last delta, and the seal that gives it away. */
import { createHash } from 'node:crypto';
import { definite } from '../../shared/base/definite.ts';
import { Failure } from '../../shared/base/failure.ts';
import { dropMailOf, tombstoneOf } from './accounts-table.ts';
import { annotationRecords } from './annotations.ts';
import { entriesOf, getAccount, getActs, getMailbox, isHeld, putAccount, sessionEpochOf } from './entries.ts';
import type { AccountEntry, MailboxEntry, RetiredName } from './entries.ts';
import { keysUnder } from './environment.ts';
import { blocksNow, rowsChangedSince } from './mailbox-rows.ts';
import { decodeUidRanges } from './row-block.ts';
import type { AccountSnapshot, ChangesPage, LeavingMessage, LeftMail } from './transfers.ts';
import { dropLotsOf } from './lots.ts';
import { isHidden } from './mailbox-name.ts';
import type { Volume } from './volume.ts';

export function snapshotOf(volume: Volume, address: string): AccountSnapshot {
  const { environment, tables } = volume;
  return environment.read(() => {
    const entry = requireMail(volume, address);
    const { number, id, epoch, bytes, messages, password, terms, limits, directoryLimits, aliases } = entry;
    return {
      id, epoch, bytes, messages, password, terms, limits, directoryLimits, aliases,
      sessionEpoch: sessionEpochOf(entry),
      acts: getActs(tables, number),
      mailboxes: mailboxesOf(volume, number).filter(({ name }) => !isHidden(name)).map(({ flagRecords: _inRows, ...mailbox }) => mailbox),
      annotations: annotationRecords(tables, number),
      subscriptions: tables.subscriptions.range(keysUnder([number])).map(({ key }) => String(key[1])),
      retiredNames: tables.retiredNames.range(keysUnder([number])).map(({ key, value }) => [String(key[1]), JSON.parse(value.toString()) as RetiredName] as const),
    };
  });
}

export function changesOf(volume: Volume, address: string, { mailbox, since, limit }: { readonly mailbox: number; readonly since: number; readonly limit: number }): ChangesPage {
  const { environment, tables } = volume;
  return environment.read(() => {
    const entry = getMailbox(tables, mailbox);
    if (entry === undefined || entry.account !== requireMail(volume, address).number) throw new Failure('mailbox-missing', 'mailbox does not exist');
    const later = { ...keysUnder([mailbox]), from: [mailbox, since + 1] };
    const changed = rowsChangedSince(tables, entry, since).sort((one, other) => one.modseq - other.modseq);
    const last = changed[limit - 1];
    const upTo = last === undefined ? entry.highestModseq : last.modseq;
    const expunged = tables.expunged.range(later).map(({ key, value }) => ({ modseq: Number(key[1]), uids: decodeUidRanges(value) }));
    return {
      rows: changed.filter(({ modseq }) => modseq <= upTo),
      expunged: expunged.filter(({ modseq }) => modseq <= upTo),
      upTo,
      more: upTo < entry.highestModseq,
    };
  });
}

export function leavingMessage({ environment, messages, packs }: Volume, messageId: number): LeavingMessage | undefined {
  return environment.read(() => {
    const place = messages.place(messageId);
    const structure = messages.structure(messageId);
    return place === undefined || structure === undefined ? undefined : { size: place.length, structure, bytes: () => packs.pieces(place) };
  });
}

/** Of mailboxes, rows, expunged messages and names, however the account is numbered here. */
export function fingerprintOf(volume: Volume, address: string): string {
  const { environment, tables } = volume;
  return environment.read(() => {
    const account = requireMail(volume, address);
    const hash = createHash('sha256');
    for (const entry of mailboxesOf(volume, account.number).toSorted((one, other) => (one.mailboxId < other.mailboxId ? -1 : 1))) {
      const { name, mailboxId, uidValidity, uidNext, highestModseq, messages, unseen, deleted, bytes, keywords, specialUse, rights, urlKey } = entry;
      hash.update(JSON.stringify([name, mailboxId, uidValidity, uidNext, highestModseq, messages, unseen, deleted, bytes, keywords, specialUse, ...(rights === undefined ? [] : [rights]), ...(urlKey === undefined ? [] : [{ urlKey }])]));
      for (const { block } of blocksNow(tables, entry)) hash.update(block);
      for (const { key, value } of tables.expunged.range(keysUnder([entry.id]))) hash.update(`${String(key[1])}:`).update(value);
    }
    const annotations = annotationRecords(tables, account.number).map(({ mailbox = '', user, entry, record }) => JSON.stringify([mailbox, user, entry, record]));
    for (const annotation of annotations.sort()) hash.update(annotation);
    hash.update(JSON.stringify([account.id, account.bytes, account.messages, sessionEpochOf(account), ...[account.password, account.terms, account.limits, account.aliases].filter((what) => what !== undefined)]));
    for (const { key } of tables.subscriptions.range(keysUnder([account.number]))) hash.update(`${JSON.stringify(key[1])}\n`);
    for (const { key, value } of tables.retiredNames.range(keysUnder([account.number]))) hash.update(JSON.stringify(key[1])).update(value);
    return hash.digest('hex');
  });
}

export async function holdAccount(volume: Volume, address: string, { token, forMs }: { readonly token: string; readonly forMs: number }): Promise<void> {
  const id = await volume.environment.write(() => {
    const entry = requireLive(volume, address);
    if (isHeld(entry) && takerOf(entry.hold?.token) !== takerOf(token)) throw new Failure('in-use', 'somebody else is moving this account');
    putAccount(volume.tables, { ...dropLotsOf(volume, entry), hold: { token, untilMs: Date.now() + forMs } });
    return entry.id;
  });
  volume.hints.publish({ account: id });
}

/** Who takes the account away: a node's new attempt ends the hold of the one before, which may have died. */
function takerOf(token = ''): string {
  return token.split('/', 1)[0] ?? '';
}

export async function releaseAccount(volume: Volume, address: string, token: string): Promise<void> {
  await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.hold?.token !== token || entry.movedTo !== undefined) return;
    const { hold: _ended, ...free } = entry;
    putAccount(volume.tables, free);
  });
}

export async function sealAccount(volume: Volume, address: string, { token, node, epoch }: { readonly token: string; readonly node: string; readonly epoch: number }): Promise<void> {
  const id = await volume.environment.write(() => {
    const before = getAccount(volume.tables, address);
    if (before?.movedTo === node && before.epoch === epoch) return before.id;
    const entry = requireLive(volume, address);
    if (!isHeld(entry) || entry.hold?.token !== token) throw new Failure('timed-out', 'the hold of this account is over');
    if (epoch <= entry.epoch) throw new Failure('forbidden', `the account has epoch ${String(entry.epoch)} already`);
    putAccount(volume.tables, { ...tombstoneOf(entry, { node, epoch }), ...definite({ reclaimed: entry.reclaimed }) });
    if (entry.reclaimed === undefined) volume.tables.arriving.remove([address]); // where it had come from matters no more
    return entry.id;
  });
  volume.hints.publish({ account: id });
}

/** The tombstones of this storage that have mail. */
export function leftMail(volume: Volume): LeftMail[] {
  const entries = volume.environment.read(() => volume.tables.accounts.range(keysUnder([])));
  return entries.flatMap(({ value }): LeftMail[] => {
    const { address, movedTo: node, epoch, left } = JSON.parse(value.toString()) as AccountEntry;
    return node === undefined || left === undefined || left.mail === 'removed' ? [] : [{ address, node, epoch, atMs: left.atMs, mail: left.mail }];
  });
}

export function leftMailOf(volume: Volume, address: string): LeftMail['mail'] | undefined {
  const left = volume.environment.read(() => getAccount(volume.tables, address))?.left?.mail;
  return left === 'removed' ? undefined : left;
}

export async function markLeftVerified(volume: Volume, address: string, epoch: number): Promise<void> {
  await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.left?.mail !== 'unverified' || entry.epoch !== epoch) return;
    putAccount(volume.tables, { ...entry, left: { ...entry.left, mail: 'verified' } });
  });
}

export async function removeLeftMail(volume: Volume, address: string, epoch: number): Promise<void> {
  await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.left === undefined || entry.epoch !== epoch || entry.left.mail === 'removed') return;
    if (entry.left.mail !== 'verified') throw new Failure('forbidden', 'the mail left behind was not compared with its copy');
    dropMailOf(volume, entry);
    const { password: _gone, terms: _terms, limits: _limits, directoryLimits: _directory, aliases: _aliases, ...tombstone } = entry;
    putAccount(volume.tables, { ...tombstone, bytes: 0, messages: 0, left: { ...entry.left, mail: 'removed' } });
  });
}

/** The account's mailboxes. Inside `read` or `write`. */
export function mailboxesOf({ tables }: Volume, account: number): MailboxEntry[] {
  return entriesOf(tables, account);
}

function requireLive(volume: Volume, address: string): AccountEntry {
  const entry = getAccount(volume.tables, address);
  if (entry === undefined) throw new Failure('unknown-user', 'no such account');
  if (entry.movedTo !== undefined) throw new Failure('not-kept-here', 'account has moved', { node: entry.movedTo });
  if (entry.arriving !== undefined) throw new Failure('not-kept-here', 'account is on its way', { node: entry.arriving.from });
  if (entry.withdrawn !== undefined) throw new Failure('unknown-user', 'the account is out of use');
  return entry;
}

/** Live, on its way, or a tombstone that has its mail still. */
function requireMail(volume: Volume, address: string): AccountEntry {
  const entry = getAccount(volume.tables, address);
  if (entry === undefined || entry.left?.mail === 'removed') throw new Failure('unknown-user', 'no mail of such an account is here');
  return entry;
}
