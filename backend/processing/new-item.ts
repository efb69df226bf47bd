/** Makes queue items: of messages that come in, and of reports to their senders. */
import { randomBytes } from 'node:crypto';
import { isFailure } from '../../shared/base/failure.ts';
import { parseAddress } from '../../shared/smtp/address.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import type { Language } from '../../shared/language/language.ts';
import type { StagedBytes } from '../storage/storage.ts';
import type { Confirmation } from './delivery-keys.ts';
import type { Destination, QueueItem } from './queue-item.ts';
import type { QueueStore } from './queue-store.ts';
import { buildReport } from './report.ts';
import type { ReportOptions } from './report.ts';
import type { RetryOptions } from './retry-schedule.ts';
import { expiryOf } from './try-outcome.ts';
import type { DueReport } from './try-outcome.ts';

export interface ItemMaker {
  readonly store: QueueStore;
  readonly hostName: string;
  readonly primaryDomain: string;
  readonly isOurDomain: (domain: string) => boolean;
  readonly retry: RetryOptions;
  /** In which languages a sender is told of a message. Never rejects. */
  readonly languagesFor: (sender: string) => Promise<readonly [Language, ...Language[]]>;
  /** Mail of a session that still stands waits so long for its confirmation before it goes on, milliseconds. */
  readonly confirmationGraceMs: number;
}

/** An original up to this size goes back whole, where the sender asked for that (RET=FULL). */
const wholeUpToBytes = 256 * 1024;
const headerUpToBytes = 64 * 1024;

/** Where mail for the address goes. */
export function destinationOf(address: string, isOurDomain: (domain: string) => boolean): Destination {
  const domain = parseAddress(address)?.domain ?? '';
  return isOurDomain(domain) ? 'ours' : `domain:${domain}`;
}

export interface ItemParts {
  readonly sender: EnvelopeSender;
  readonly trace: string;
  readonly recipients: readonly EnvelopeRecipient[];
  readonly confirmation: Confirmation;
  readonly holder: string;
}

/** The item of a message whose bytes are staged. Ids sort by time. */
export function makeItem(maker: ItemMaker, staged: StagedBytes, parts: ItemParts): QueueItem {
  const nowMs = Date.now();
  const { sender, trace, confirmation, holder } = parts;
  const recipients = parts.recipients.map(({ address, notify, orcpt, node }) => {
    const destination = destinationOf(address, maker.isOurDomain);
    const dueAtMs = confirmation === 'open' ? nowMs + maker.confirmationGraceMs : nowMs;
    return { address, notify, orcpt, node, destination, state: { at: 'waiting', dueAtMs, why: 'new' }, tries: 0, delayTold: false, lastWords: undefined } as const;
  });
  return {
    id: `${nowMs.toString(36).padStart(9, '0')}${randomBytes(6).toString('hex')}`,
    place: staged.place, digest: staged.digest.toString('hex'), trace, acceptedAtMs: nowMs, confirmation, holder, recipients,
    sender: { address: sender.address, ret: sender.ret, envid: sender.envid, smtpUtf8: sender.smtpUtf8 === true, eightBit: sender.body === '8BITMIME' },
  };
}

/** Items whose bytes are on stable storage, to be added to the queue. */
export interface MadeReports {
  readonly items: readonly QueueItem[];
  /** Call it when they were added, or won't be. */
  done(): void;
}

/** Writes reports about an item. */
export async function makeReports(maker: ItemMaker, item: QueueItem, reports: readonly DueReport[]): Promise<MadeReports> {
  const [original, languages] = await Promise.all([originalOf(maker.store, item), maker.languagesFor(item.sender.address)]);
  const making = await Promise.allSettled(reports.map(async ({ action, recipients }) => {
    const bytes = buildReport({
      action, recipients, original, languages, hostName: maker.hostName, from: `postmaster@${maker.primaryDomain}`, to: item.sender.address,
      envid: item.sender.envid, arrivedAtMs: item.acceptedAtMs, nowMs: Date.now(),
      retryUntilMs: action === 'delayed' ? expiryOf(item, maker.retry) : undefined,
    });
    return reportItem(maker, bytes, item);
  }));
  const made = making.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of making) {
    if (one.status === 'fulfilled') continue;
    for (const { staged } of made) staged.done();
    throw one.reason;
  }
  return { items: made.map(({ report }) => report), done: () => made.forEach(({ staged }) => staged.done()) };
}

async function reportItem(maker: ItemMaker, bytes: Buffer, about: QueueItem): Promise<{ readonly report: QueueItem; readonly staged: StagedBytes }> {
  const staged = await settled(maker.store.stageReport(bytes));
  const report = makeItem(maker, staged, {
    // The null reverse-path: a report is never reported of (RFC 5321 section 4.5.5).
    sender: { address: '', body: '8BITMIME', smtpUtf8: about.sender.smtpUtf8 },
    trace: '', recipients: [{ address: about.sender.address }], confirmation: 'confirmed', holder: '',
  });
  return { report, staged };
}

/** Bytes of a message that was made here, on stable storage. @throws as `QueueStore.stage` */
export async function stageBytes(store: QueueStore, bytes: Buffer, sender: string): Promise<StagedBytes> {
  return settled(store.stage([bytes], { maxBytes: bytes.length, sender }));
}

async function settled(staging: Promise<StagedBytes>): Promise<StagedBytes> {
  const staged = await staging;
  try {
    await staged.settled();
    return staged;
  } catch (error) {
    staged.done();
    throw error;
  }
}

/** Undefined where it can't be read any more: the report says all the same what became of it. */
async function originalOf(store: QueueStore, item: QueueItem): Promise<ReportOptions['original']> {
  try {
    return await readOriginal(store, item);
  } catch (error) {
    if (!isFailure(error, 'storage-failure')) throw error;
    return undefined;
  }
}

async function readOriginal(store: QueueStore, item: QueueItem): Promise<ReportOptions['original']> {
  const trace = Buffer.from(item.trace);
  if (item.sender.ret === 'FULL' && item.place.length <= wholeUpToBytes) {
    return { kind: 'message', bytes: Buffer.concat([trace, await store.firstBytes(item, item.place.length)]) };
  }
  const start = await store.firstBytes(item, headerUpToBytes);
  const end = start.indexOf('\r\n\r\n');
  const header = end === -1 ? start.subarray(0, start.lastIndexOf('\r\n') + 2) : start.subarray(0, end + 2);
  return { kind: 'headers', bytes: Buffer.concat([trace, header]) };
}
