/** STORE and UID STORE (RFC 9051 section 6.4.6; UNCHANGEDSINCE: RFC 7162 section 3.1.3). */
import { setImmediate as breathe } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import { parseStore } from '../../shared/imap/store-arguments.ts';
import type { StoreArguments } from '../../shared/imap/store-arguments.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import type { FlagOutcome } from '../storage/storage.ts';
import { mailboxCommand } from './command.ts';
import type { Command, Selected } from './command.ts';
import { requireWriteAccess } from './expunge.ts';
import { flagsWithin, mayChangeAny } from './flag-rights.ts';
import { flagMarks } from './flag-texts.ts';
import { flagsResponse, messageLead, messageUid, tellKeywords, tellNews } from './news.ts';
import { untilWritten } from './progress.ts';
import { ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Numbers, View } from './view.ts';

/** Messages changed in one transaction: bounds how long others wait. */
const mostAtOnce = 10_000;

export const store = define('STORE', 'sequence');
export const uidStore = define('UID STORE', 'uid');

function define(verb: string, numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: numbers === 'uid' ? 'everything' : 'no-expunges',
    parse: parseStore,
    run: (selected, given) => run(selected, given, numbers),
  });
}

async function run({ session, view }: Selected, given: StoreArguments, numbers: Numbers): Promise<Completion> {
  requireWriteAccess(view);
  const wanted = { mode: given.mode, ...flagMarks(given.flags) };
  if (!mayChangeAny(view.rights, wanted)) throw new Failure('forbidden', 'you have not got the right to change these flags on that folder');
  if (given.unchangedSince !== undefined) session.enable('CONDSTORE');
  const uids = view.uidsIn(view.spans(given.set, numbers));
  // What others changed is told first: afterwards .SILENT would hide it behind our own change.
  await tellNews(session, view, 'no-expunges');
  const hiding = hidingFrom(session, view, given);
  const answer = hiding === undefined || session.isEnabled('CONDSTORE') ? 'all' : 'unheard';
  const change = { ...wanted, within: flagsWithin(view.rights), unchangedSince: given.unchangedSince, knownModseq: hiding, answer } as const;
  const modified: number[] = [];
  for (let from = 0; from < uids.length; from += mostAtOnce) {
    if (from > 0) await breathe();
    const outcome = await untilWritten(session, view.mailbox.changeFlags(from === 0 && uids.length <= mostAtOnce ? uids : uids.slice(from, from + mostAtOnce), change));
    view.flagTexts.learn(outcome.keywords);
    tellKeywords(session, view);
    view.noteOwnChange(outcome);
    modified.push(...outcome.modified);
    await tellOutcome({ session, view }, outcome, given.silent);
  }
  return completion(modified.sort((a, b) => a - b), (uid) => (numbers === 'uid' ? uid : view.sequenceOf(uid)));
}

/** From where on silence would hide what others changed after the news were told; undefined where nothing is hidden, or the client wants to hear of nobody's changes (NOTIFY). */
function hidingFrom({ accountNews }: Selected['session'], view: View, { silent }: StoreArguments): number | undefined {
  const { messages, flags } = accountNews.selected;
  return silent === 'yes' && messages !== 'nothing' && flags === 'told' ? view.highestModseq : undefined;
}

/** Silence or not, the client hears of what others changed (RFC 9051 section 6.4.6). With UNCHANGEDSINCE or CONDSTORE, the new mod-sequence is told even to those who want silence (RFC 7162 section 3.1.3). */
async function tellOutcome({ session, view }: Pick<Selected, 'session' | 'view'>, outcome: FlagOutcome, silent: StoreArguments['silent']): Promise<void> {
  const { unheard } = outcome;
  const tellsModseqs = session.isEnabled('CONDSTORE');
  if (silent === 'yes' && !tellsModseqs && unheard.size === 0) return;
  const { rows } = outcome;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows.look(index);
    const sequence = view.sequenceOf(row.uid);
    if (sequence === undefined) continue;
    if (silent === 'no' || unheard.has(row.uid)) session.output.line(flagsResponse(session, view, { sequence, row }));
    else if (tellsModseqs) session.output.line(`${messageLead(view, { sequence, row })}${messageUid(view, { sequence, row })}MODSEQ (${String(row.modseq)}))`);
    if (session.output.full) await session.output.flush();
  }
}

function completion(modified: readonly number[], number: (uid: number) => number | undefined): Completion {
  if (modified.length === 0) return ok('STORE completed');
  const numbers = modified.map(number).filter((value) => value !== undefined);
  return ok('some messages were changed by others', `MODIFIED ${formatSet(numbers)}`);
}
