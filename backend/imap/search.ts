/** SEARCH and UID SEARCH (RFC 9051 section 6.4.4, RFC 4731, RFC 5182, RFC 7162 section 3.1.5). */
import { Pacer } from '../../shared/base/pacer.ts';
import { parseSearch } from '../../shared/imap/search-keys.ts';
import type { ReturnOption, SearchArguments, SearchKey } from '../../shared/imap/search-keys.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import { formatString } from '../../shared/imap/strings.ts';
import { mailboxCommand } from './command.ts';
import type { Command, Selected } from './command.ts';
import { bad, no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import { compileSearch } from './search-matcher.ts';
import { planSearch, spansToRead } from './search-plan.ts';
import { Verdict } from '../text-index/text-index.ts';
import type { Numbered, Numbers } from './view.ts';

export const search = define('SEARCH', 'sequence');
export const uidSearch = define('UID SEARCH', 'uid');

function define(verb: string, numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: numbers === 'uid' ? 'everything' : 'no-expunges',
    parse: parseSearch,
    run: async (selected, given) => run(selected, given, numbers),
  });
}

const batchSize = 512;
const charsets: ReadonlySet<string> = new Set(['US-ASCII', 'UTF-8']);

async function run(selected: Selected, given: SearchArguments, numbers: Numbers): Promise<Completion> {
  const { session, view } = selected;
  // Only one charset is possible then, and need not be named (RFC 6855 section 3).
  if (given.charset !== undefined && session.isEnabled('UTF8=ACCEPT')) return bad('CHARSET is not allowed after ENABLE UTF8=ACCEPT');
  const saves = given.returns?.has('SAVE') === true;
  if (given.charset !== undefined && !charsets.has(given.charset)) {
    if (saves) view.saved = [];
    return no('only US-ASCII and UTF-8 are understood', 'BADCHARSET (US-ASCII UTF-8)');
  }
  const usesModseq = asksForModseq(given.key);
  if (usesModseq) session.enable('CONDSTORE');
  const found = await findMessages(selected, given.key);
  const meant = meantBy(found, given.returns);
  if (saves) view.saved = meant.map(({ row }) => row.uid);
  const modseq = usesModseq && found.length > 0 ? meant.reduce((highest, { row }) => Math.max(highest, row.modseq), 0) : undefined;
  const hits = found.map(({ sequence, row }) => (numbers === 'uid' ? row.uid : sequence));
  if (given.returns === undefined && !session.isEnabled('IMAP4REV2')) {
    session.output.line(`* SEARCH${hits.map((hit) => ` ${String(hit)}`).join('')}${modseq === undefined ? '' : ` (MODSEQ ${String(modseq)})`}`);
    return ok('SEARCH completed');
  }
  const data = returnData(hits, given.returns ?? new Set<ReturnOption>(['ALL']), modseq);
  if (data !== undefined) session.output.line(`* ESEARCH (TAG ${formatString(session.tag)})${numbers === 'uid' ? ' UID' : ''}${data}`);
  return ok('SEARCH completed');
}

function asksForModseq(key: SearchKey): boolean {
  if (key.key === 'modseq') return true;
  if (key.key === 'and') return key.operands.some(asksForModseq);
  if (key.key === 'or') return asksForModseq(key.left) || asksForModseq(key.right);
  return key.key === 'not' && asksForModseq(key.operand);
}

async function findMessages({ session, view, account }: Selected, key: SearchKey): Promise<Numbered[]> {
  const test = compileSearch(key, view);
  const plan = await planSearch(key, { view, account, texts: session.options.texts });
  const found: Numbered[] = [];
  const pacer = new Pacer();
  if (view.count === 0) return found;
  for (const batch of view.batches(plan === undefined ? [{ from: 0, to: view.count - 1 }] : spansToRead(plan), batchSize)) {
    for (const candidate of batch) {
      if (session.abandoned) return found;
      const verdict = plan?.[candidate.sequence - 1] ?? Verdict.unknown;
      if (verdict === Verdict.yes || (verdict === Verdict.unknown && await test.matches(candidate))) found.push(candidate);
      if (pacer.isDue) await pacer.breathe();
    }
    if (pacer.isDue) await pacer.breathe();
  }
  return found;
}

/** For which messages `$` and MODSEQ stand: all hits, unless only MIN or MAX were asked for (RFC 5182 section 2.4, RFC 7162 section 3.1.5). */
function meantBy(found: readonly Numbered[], returns: ReadonlySet<ReturnOption> | undefined): readonly Numbered[] {
  const first = found[0];
  const last = found.at(-1);
  const onlyEnds = returns !== undefined && (returns.has('MIN') || returns.has('MAX')) && !returns.has('ALL') && !returns.has('COUNT');
  if (!onlyEnds || first === undefined || last === undefined) return found;
  if (!returns.has('MAX') || first === last) return [first];
  return returns.has('MIN') ? [first, last] : [last];
}

/** The items of an ESEARCH response; undefined when only SAVE was asked for. */
function returnData(hits: readonly number[], returns: ReadonlySet<ReturnOption>, modseq: number | undefined): string | undefined {
  if (returns.size === 1 && returns.has('SAVE')) return undefined;
  const items: string[] = [];
  if (hits.length > 0) {
    if (returns.has('MIN')) items.push(`MIN ${String(hits[0])}`);
    if (returns.has('MAX')) items.push(`MAX ${String(hits.at(-1))}`);
    if (returns.has('ALL')) items.push(`ALL ${formatSet(hits)}`);
  }
  if (returns.has('COUNT')) items.push(`COUNT ${String(hits.length)}`);
  if (modseq !== undefined) items.push(`MODSEQ ${String(modseq)}`);
  return items.map((item) => ` ${item}`).join('');
}
