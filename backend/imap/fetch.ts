/** FETCH and UID FETCH (RFC 9051 section 6.4.5): the command; `fetch-content.ts` has the items that read messages. */
import { Pacer } from '../../shared/base/pacer.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { parseFetch } from '../../shared/imap/fetch-items.ts';
import type { FetchArguments, FetchItem, RowItem, StructureItem } from '../../shared/imap/fetch-items.ts';
import { windowOn } from '../../shared/imap/result-window.ts';
import { formatSet, largestNumber, numbersWithin, resolveRanges } from '../../shared/imap/sequence-set.ts';
import { formatText, utf8Bytes } from '../../shared/imap/strings.ts';
import type { StringForm } from '../../shared/imap/strings.ts';
import { formatBody, formatEnvelope } from '../../shared/imap/structure-response.ts';
import { Flag } from '../storage/storage.ts';
import type { FlagOutcome, MessageRow, StoredMessage } from '../storage/storage.ts';
import { mailboxCommand } from './command.ts';
import type { Command, Selected } from './command.ts';
import { prepareContent, sendContent } from './fetch-content.ts';
import type { Content } from './fetch-content.ts';
import { isKept, keptResponses } from './fetch-kept.ts';
import { missing, missingFlags, rowResponse, rowValues } from './fetch-rows.ts';
import { messageLead, tellKeywords } from './news.ts';
import { untilWritten } from './progress.ts';
import { Refusal, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Numbered, Numbers, Span, View } from './view.ts';

export const fetch = define('FETCH', 'sequence');
export const uidFetch = define('UID FETCH', 'uid');

function define(verb: string, numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: numbers === 'uid' ? 'everything' : 'no-expunges',
    parse: parseFetch,
    run: async (selected, given) => run(selected, given, numbers),
  });
}

/** Rows taken from the index at a time. Where \Seen is set, fewer: each batch is one transaction. */
const batchSize = 512;
const looksAtOnce = 1024;
const seenBatchSize = 64;

async function run(selected: Selected, given: FetchArguments, numbers: Numbers): Promise<Completion> {
  const { session, view } = selected;
  const plan = planItems(view, given, numbers);
  if (plan.items.some((item) => item.kind === 'row' && item.name === 'MODSEQ')) session.enable('CONDSTORE');
  const spans = windowedSpans(view, given, numbers);
  if (given.vanished === 'yes') tellVanished(selected, given, numbers);
  view.flagTexts.learn(view.mailbox.latest().keywords);
  tellKeywords(session, view);
  const chosen = { spans, changedSince: given.changedSince ?? 0 };
  if (plan.reads === 'rows') await sendLooked(selected, chosen, { items: plan.items, respond: (message) => rowResponse(view, plan.items, message) });
  else if (plan.reads === 'kept' && !plan.marksSeen) await sendLooked(selected, chosen, { items: plan.items, respond: keptResponses(selected, plan.items) });
  else await sendMessages(selected, plan, chosen);
  return ok('FETCH completed');
}

interface Chosen {
  readonly spans: readonly Span[];
  /** Only rows with a higher mod-sequence. */
  readonly changedSince: number;
}

interface Looked {
  readonly items: readonly FetchItem[];
  /** Tells the response by the row and what is kept; undefined where the message has to be looked into. */
  readonly respond: (message: Numbered) => string | undefined;
}

/** Without an object for each message. What little work it is to tell of one goes with what it makes: others get their turn when that is sent. */
async function sendLooked(selected: Selected, { spans, changedSince }: Chosen, { items, respond }: Looked): Promise<void> {
  const { session, view } = selected;
  const pacer = new Pacer();
  const read = seriesByRow(view);
  for (const batch of view.looks(spans, looksAtOnce)) {
    const unkept: MessageRow[] = [];
    for (let index = 0; index < batch.length && !session.abandoned; index += 1) {
      const looked = batch.look(index);
      if (looked.row.modseq <= changedSince) continue;
      const response = respond(looked);
      if (response === undefined) {
        const message = batch.message(index);
        await sendMessage(selected, items, { message, read, nowSeen: undefined });
        unkept.push(message.row);
      } else session.output.line(response);
      if (session.output.full) await session.output.flush();
      else if (response !== undefined) continue;
      if (pacer.isDue) await pacer.breathe();
    }
    if (unkept.length > 0) await view.mailbox.keepFields(unkept);
    if (session.abandoned) break;
    if (pacer.isDue) await pacer.breathe();
  }
}

async function sendMessages(selected: Selected, plan: Plan, { spans, changedSince }: Chosen): Promise<void> {
  const { session, view } = selected;
  const pacer = new Pacer();
  const read = plan.reads === 'bytes' ? view.mailbox.byteSeries('own') : seriesByRow(view);
  for (const batch of view.batches(spans, plan.marksSeen ? seenBatchSize : batchSize)) {
    if (session.abandoned) break;
    const wanted = changedSince === 0 ? batch : batch.filter(({ row }) => row.modseq > changedSince);
    const marked = plan.marksSeen ? await markSeen(selected, wanted) : undefined;
    if (plan.reads === 'kept') await sendKept(selected, plan.items, { wanted, read, unknown: marked?.unknown });
    else {
      for (const message of wanted) {
        await sendMessage(selected, plan.items, { message, read, nowSeen: marked?.unknown.get(message.row.uid) });
        if (pacer.isDue) await pacer.breathe();
      }
    }
    if (marked !== undefined) view.noteOwnChange(marked.outcome); // not before all is told: where a message can't be, and the command ends, the news tell of the others
    if (session.output.full) await session.output.flush();
    if (pacer.isDue) await pacer.breathe();
  }
}

interface Marked {
  readonly outcome: FlagOutcome;
  /** Rows of which the client does not know: this command changed them, or others did since it was told the news. */
  readonly unknown: ReadonlyMap<number, MessageRow>;
}

function seriesByRow({ mailbox }: View): Wanted['read'] {
  const read = mailbox.series();
  return ({ uid }) => read(uid);
}

/** The messages of the set, or of these the ones in the window (RFC 9394 section 3.3). */
function windowedSpans(view: View, { set, window }: FetchArguments, numbers: Numbers): Span[] {
  const spans = view.spans(set, numbers);
  if (window === undefined) return spans;
  if (numbers !== 'uid') throw new Failure('bad-input', 'PARTIAL needs UID FETCH');
  const { from, to } = windowOn(spans.reduce((count, span) => count + span.to - span.from + 1, 0), window);
  let before = 0;
  return spans.flatMap((span) => {
    const first = span.from + Math.max(from - before, 0);
    const last = Math.min(span.to, span.from + to - before - 1);
    before += span.to - span.from + 1;
    return first <= last ? [{ from: first, to: last }] : [];
  });
}

interface Plan {
  readonly items: readonly FetchItem[];
  readonly marksSeen: boolean;
  /** What has to be looked at: the rows alone, what is kept of messages besides, bytes of whole messages besides, or all that there is. */
  readonly reads: 'rows' | 'kept' | 'bytes' | 'messages';
}

/** Adds the items that a client gets without asking: UID for UID FETCH (not where the response begins with it), MODSEQ with CHANGEDSINCE (RFC 7162 section 3.1.4.1). */
function planItems({ numbering }: View, given: FetchArguments, numbers: Numbers): Plan {
  const items = [...given.items];
  const demand = (name: RowItem): void => {
    if (!items.some((item) => item.kind === 'row' && item.name === name)) items.unshift({ kind: 'row', name });
  };
  if (given.changedSince !== undefined) demand('MODSEQ');
  if (numbers === 'uid' && numbering !== 'uids') demand('UID');
  return {
    items,
    marksSeen: items.some((item) => 'marksSeen' in item && item.marksSeen === 'yes'),
    reads: readsOf(items),
  };
}

function readsOf(items: readonly FetchItem[]): Plan['reads'] {
  const others = items.filter(({ kind }) => kind !== 'row');
  if (others.length === 0) return 'rows';
  if (others.every(isKept)) return 'kept';
  return others.every((item) => item.kind === 'section' && item.section.of === 'all' && item.section.part.length === 0) ? 'bytes' : 'messages';
}

/** RFC 7162 section 3.2.6. */
function tellVanished({ session, view }: Selected, given: FetchArguments, numbers: Numbers): void {
  if (numbers !== 'uid' || !session.isEnabled('QRESYNC')) throw new Failure('bad-input', 'VANISHED needs UID FETCH and QRESYNC enabled');
  const set = given.set === 'saved' ? view.saved.map((uid) => ({ first: uid, last: uid })) : given.set;
  const gone = numbersWithin(resolveRanges(set, largestNumber), view.mailbox.changesSince(given.changedSince ?? 0).vanished);
  if (gone.length > 0) session.output.line(`* VANISHED (EARLIER) ${formatSet(gone)}`);
}

/**
 * Sets \Seen where it is missing. All messages of the batch are given to the one transaction, and none by itself is left out because it was seen as it was read:
 * somebody may have taken \Seen from all of them since. A full disk must not keep anybody from reading.
 */
async function markSeen({ session, view }: Selected, messages: readonly Numbered[]): Promise<Marked | undefined> {
  if (!view.flagRights.includes('s') || messages.every(({ row }) => (row.flags & Flag.Seen) !== 0)) return undefined;
  try {
    const outcome = await untilWritten(session, view.mailbox.changeFlags(messages.map(({ row }) => row.uid), { mode: 'add', flags: Flag.Seen, keywords: [] }));
    view.flagTexts.learn(outcome.keywords);
    tellKeywords(session, view); // what others have added by then stands in the flags that are told now
    return { outcome, unknown: new Map(outcome.changed.filter(({ modseq }) => modseq > view.highestModseq).map((row) => [row.uid, row])) };
  } catch (error) {
    if (!isFailure(error, 'storage-full') && !isFailure(error, 'storage-failure')) throw error;
    session.log.warn({ err: error }, 'could not mark messages as seen');
    return undefined;
  }
}

const structureValues: Readonly<Record<StructureItem, (message: StoredMessage, strings: StringForm) => string>> = {
  ENVELOPE: (message, strings) => `ENVELOPE ${formatEnvelope(message.head.envelope, strings)}`,
  BODY: (message, strings) => `BODY ${formatBody(message.structure.root, { data: 'basic', strings })}`,
  BODYSTRUCTURE: (message, strings) => `BODYSTRUCTURE ${formatBody(message.structure.root, { data: 'extended', strings })}`,
  PREVIEW: (message, strings) => `PREVIEW ${formatText(utf8Bytes(message.head.preview), strings)}`,
};

/** The same where messages were marked as seen. */
async function sendKept(selected: Selected, items: readonly FetchItem[], { wanted, read, unknown }: { readonly wanted: readonly Numbered[]; readonly read: Wanted['read']; readonly unknown: Marked['unknown'] | undefined }): Promise<void> {
  const { session, view } = selected;
  const respond = keptResponses(selected, items);
  const respondSeen = keptResponses(selected, [...items, ...missingFlags(selected, items)]);
  const pacer = new Pacer();
  const unkept: MessageRow[] = [];
  for (const message of wanted) {
    const nowSeen = unknown?.get(message.row.uid);
    const response = nowSeen === undefined ? respond(message) : respondSeen({ ...message, row: nowSeen });
    if (response !== undefined) {
      session.output.line(response);
      if (!session.output.full) continue; // what little work it is goes with what it makes
      await session.output.flush();
    } else {
      await sendMessage(selected, items, { message, read, nowSeen });
      unkept.push(message.row);
    }
    if (pacer.isDue) await pacer.breathe();
  }
  if (unkept.length > 0) await view.mailbox.keepFields(unkept);
}

interface Wanted {
  readonly message: Numbered;
  readonly read: (row: MessageRow) => StoredMessage | undefined;
  /** The row after messages were marked as seen, where the client does not know its flags: it hears of them. */
  readonly nowSeen: MessageRow | undefined;
}

/** One FETCH response with items that need structure or bytes. A message that is gone meanwhile is left out. */
async function sendMessage(selected: Selected, items: readonly FetchItem[], { message, read, nowSeen }: Wanted): Promise<void> {
  const { session, view } = selected;
  const stored = session.abandoned ? undefined : read(message.row);
  if (stored === undefined) return;
  const { output } = session;
  const row = nowSeen ?? message.row;
  const told = nowSeen === undefined ? items : [...items, ...missingFlags(selected, items)];
  // Whatever can fail is done before the first byte is written: a response can't be taken back.
  const parts: (string | { readonly label: string; readonly content: Content })[] = [];
  for (const item of told) {
    if (item.kind === 'row') parts.push(rowValues[item.name](row, view));
    else if (item.kind === 'structure') parts.push(structureValues[item.name](stored, session.strings));
    else parts.push({ label: item.label, content: await prepareContent(stored, item) });
  }
  let lead = messageLead(view, message);
  for (const part of parts) {
    if (typeof part === 'string') output.add(lead + part);
    else {
      output.add(`${lead}${part.label} `);
      await sendContent(session, stored, part.content);
    }
    lead = ' ';
  }
  output.line(')');
  if (output.full) await output.flush();
}

/** The FETCH responses of new messages that NOTIFY or a search asks for (RFC 5465 sections 5.2 and 7). Nothing is marked as seen. */
export async function describeArrived(selected: Selected): Promise<void> {
  const { session, view } = selected;
  const described = [...view.toDescribe];
  view.toDescribe.clear();
  for (const [uid, items] of described) {
    const sequence = view.sequenceOf(uid);
    const row = sequence === undefined ? undefined : view.mailbox.row(uid);
    if (sequence === undefined || row === undefined) continue;
    const told = unaskedItems(selected, items);
    const response = keptResponses(selected, told)({ sequence, row });
    if (response !== undefined) {
      session.output.line(response);
      if (session.output.full) await session.output.flush();
      continue;
    }
    try {
      await sendMessage(selected, told, { message: { sequence, row }, read: ({ uid: wanted }) => view.mailbox.message(wanted), nowSeen: undefined });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // what can't be had of this message is not told
    }
  }
}

/** Who is told unasked hears uid (RFC 9051 section 7.5.2) and mod-sequence (RFC 7162 section 3.1) in any case. */
function unaskedItems({ session, view }: Selected, items: readonly FetchItem[]): readonly FetchItem[] {
  const names: readonly RowItem[] = session.isEnabled('CONDSTORE') ? ['UID', 'MODSEQ'] : ['UID'];
  return [...missing(names.filter((name) => name !== 'UID' || view.numbering !== 'uids'), items), ...items];
}
