/** LIST and LSUB (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440). */
import { setImmediate as breathe } from 'node:timers/promises';
import { parseList } from '../../shared/imap/list-arguments.ts';
import type { ListArguments } from '../../shared/imap/list-arguments.ts';
import { compilePattern } from '../../shared/imap/list-pattern.ts';
import { allRights } from '../../shared/imap/rights.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import { levelsAbove } from '../../shared/imap/mailbox-name.ts';
import { formatAstring } from '../../shared/imap/strings.ts';
import type { MailboxState } from '../storage/storage.ts';
import { myRightsLine } from './acl.ts';
import { accountCommand } from './command.ts';
import { formatMailbox, listedLine, oldNameItem, statusLine, wireName } from './mailbox-lines.ts';
import { mayAnnotate, tellAnnotations, valuesAt } from './metadata.ts';
import { placeOf, whoseName } from './place.ts';
import type { HerePlace } from './place.ts';
import { ok } from './replies.ts';
import type { Session } from './session.ts';
import { sharedEntries } from './shared-entries.ts';
import type { SharedEntries } from './shared-entries.ts';

/** A name of the hierarchy; a `level` is only above others, or a subscription to what is gone; `unsure` one to what nobody can tell of now. */
interface Entry {
  readonly name: string;
  readonly kind: 'mailbox' | 'level' | 'unsure';
  readonly whose: 'own' | 'others' | 'nobody';
  /** What is known of it on this node. */
  readonly state: MailboxState | undefined;
  /** What the user may do there. */
  readonly rights: Rights;
  readonly subscribed: boolean;
  hasChildren: boolean;
  /** Something below satisfies the selection options (RECURSIVEMATCH). */
  selectedBelow: boolean;
  /** Something below does that no pattern matches: only by this name it is told. */
  hiddenBelow: boolean;
}

/** What LIST takes of the processor before others have their turn. */
const longestTurnMs = 20;

const unsure = { kind: 'unsure', whose: 'others', state: undefined, rights: '' } as const;
const level = { kind: 'level', whose: 'nobody', state: undefined, rights: '' } as const;

export const list = accountCommand({
  verb: 'LIST',
  parse: (scanner, session) => parseList(scanner, session.names),
  run: async ({ session }, given) => {
    if (given.syntax === 'basic' && given.patterns[0] === '') {
      session.output.line('* LIST (\\Noselect) "/" ""');
      return ok('LIST completed');
    }
    const texts = given.patterns.filter((pattern) => pattern !== '').map((pattern) => given.reference + pattern); // the empty one matches nothing (RFC 5258 section 3)
    const patterns = texts.map(compilePattern);
    const entries = hierarchy(session, given, await sharedEntries(session, texts));
    const matched = await matchedBy(patterns, entries);
    noteHidden(entries, (entry) => isSelected(entry, given) && !matched.has(entry));
    for (const entry of matched) {
      if (!isWanted(entry, given)) continue;
      session.output.line(listLine(session, entry, given));
      if (entry.kind === 'mailbox' && isSelected(entry, given)) await tellMore(session, entry, given);
      if (session.output.full) await session.output.flush();
    }
    return ok('LIST completed');
  },
});

/** Those that any of the patterns matches, in their order. Of many long names and patterns that takes a while, in which others have their turns. */
async function matchedBy(patterns: readonly ((name: string) => boolean)[], entries: readonly Entry[]): Promise<ReadonlySet<Entry>> {
  const matched = new Set<Entry>();
  let sinceMs = performance.now();
  for (const entry of entries) {
    if (patterns.some((matches) => matches(entry.name))) matched.add(entry);
    if (performance.now() - sinceMs < longestTurnMs) continue;
    await breathe();
    sinceMs = performance.now();
  }
  return matched;
}

export const lsub = accountCommand({
  verb: 'LSUB',
  parse: (scanner, session) => parseList(scanner, session.names),
  run: async ({ session }, given) => {
    const pattern = given.reference + (given.patterns[0] ?? '');
    const matches = compilePattern(pattern);
    const recursive: ListArguments = { ...given, select: new Set(['SUBSCRIBED', 'RECURSIVEMATCH']) };
    for (const entry of hierarchy(session, recursive, await sharedEntries(session, [pattern]))) {
      // A level that is not subscribed itself shows only where % hides what is below it (RFC 3501 section 6.3.9).
      const hidden = !entry.subscribed && entry.selectedBelow && pattern.endsWith('%');
      if (!matches(entry.name) || (!entry.subscribed && !hidden)) continue;
      const attributes = hidden || entry.kind === 'level' ? '\\Noselect' : '';
      session.output.line(`* LSUB (${attributes}) "/" ${formatMailbox(session, entry.name)}`);
      if (session.output.full) await session.output.flush();
    }
    return ok('LSUB completed');
  },
});

/** A LIST response that says under which other name the client knows the mailbox (RFC 9051 section 6.3.9.7). */
export function oldNameLine(session: Session, { whose }: Pick<HerePlace, 'whose'>, { name, oldName }: { readonly name: string; readonly oldName: string | undefined }): string {
  if (whose !== 'own') return listedLine(session, { name, oldName, attributes: [] });
  const [line = ''] = hierarchyLines(session, { names: new Set([name]), shared: { entries: [], extent: 'all' } });
  return oldName === undefined ? line : line + oldNameItem(wireName(session, oldName));
}

/** LIST responses of these names, whether they are there or not, as NOTIFY tells them (RFC 5465 sections 5.4 and 5.5). */
export function hierarchyLines(session: Session, { names, shared }: { readonly names: ReadonlySet<string>; readonly shared: SharedEntries }): string[] {
  const given: ListArguments = { reference: '', patterns: [], select: new Set(), syntax: 'extended', returns: new Set(['SUBSCRIBED']), status: [], metadata: [] };
  const entries = new Map(hierarchy(session, given, shared).map((entry) => [entry.name, entry]));
  return [...names].map((name) => listLine(session, entries.get(name) ?? { name, ...absent(session, name, shared), subscribed: false, hasChildren: false, selectedBelow: false, hiddenBelow: false }, given));
}

/** Only of what is selected itself: a mailbox that is told for what is below it alone has none of these (RFC 5819 and RFC 8440, section 3; RFC 9590). */
async function tellMore(session: Session, entry: Entry, { returns, status, metadata }: ListArguments): Promise<void> {
  if (returns.has('MYRIGHTS')) session.output.line(myRightsLine(session, entry.name, entry.rights));
  if (status.length > 0 && entry.rights.includes('r')) await tellStatus(session, entry, status);
  if (metadata.length > 0) await tellMetadata(session, entry, metadata);
}

async function tellStatus(session: Session, { name, state }: Entry, items: ListArguments['status']): Promise<void> {
  try {
    const place = await placeOf(session, name);
    if (place.at === 'here' && state !== undefined) session.output.line(statusLine(session, { state: { ...state, name }, account: place.account }, items));
    else if (place.at === 'away') await (await session.legs.to(place)).ask(`STATUS ${formatMailbox(session, name)} (${items.join(' ')})`);
  } catch (error) {
    session.log.info({ err: error }, 'the status of a folder on another node is not known'); // as of one that may not be read (RFC 5819 section 2)
  }
}

/** RFC 9590: of what can't be told nothing is. */
async function tellMetadata(session: Session, { name }: Entry, entries: readonly string[]): Promise<void> {
  try {
    const place = await placeOf(session, name);
    if (place.at === 'away') await (await session.legs.to(place)).ask(`GETMETADATA ${formatMailbox(session, name)} (${entries.map(formatAstring).join(' ')})`);
    else if (mayAnnotate(place)) tellAnnotations(session, { name, entries, depth: 0, maxSize: undefined }, valuesAt(session, place));
  } catch (error) {
    session.log.info({ err: error }, 'annotations of a folder are not known');
  }
}

/** All names in order, with what their descendants say about them. */
function hierarchy(session: Session, given: ListArguments, shared: SharedEntries): Entry[] {
  const { account } = session;
  const subscriptions = new Set(account.subscriptions());
  const entries = new Map<string, Entry>();
  const add = (name: string, known: Pick<Entry, 'kind' | 'whose' | 'state' | 'rights'>): void => {
    if (entries.has(name)) return;
    entries.set(name, { name, ...known, subscribed: subscriptions.has(name), hasChildren: false, selectedBelow: false, hiddenBelow: false });
  };
  for (const state of account.mailboxes()) add(state.name, { kind: 'mailbox', whose: 'own', state, rights: allRights });
  for (const known of shared.entries) add(known.name, { ...known, kind: 'mailbox', whose: 'others' });
  for (const name of subscriptions) add(name, absent(session, name, shared));
  for (const name of [...entries.keys()]) for (const above of levelsAbove(name)) add(above, level);
  for (const entry of entries.values()) {
    for (const above of levelsAbove(entry.name)) {
      const parent = entries.get(above);
      if (parent === undefined) continue;
      if (entry.kind === 'mailbox') parent.hasChildren = true;
      if (isSelected(entry, given)) parent.selectedBelow = true;
    }
  }
  return [...entries.values()].sort(byName);
}

/** What counts of a name of which nobody has told. */
function absent(session: Session, name: string, { extent }: SharedEntries): typeof level | typeof unsure {
  return extent === 'some' && whoseName(session, name) === 'others' ? unsure : level;
}

/** A level that is not selected itself stands only for those below it that are not told (RFC 9051 section 6.3.9.6). */
function noteHidden(entries: readonly Entry[], isHidden: (entry: Entry) => boolean): void {
  const named = new Map(entries.map((entry) => [entry.name, entry]));
  for (const entry of entries) {
    if (!isHidden(entry)) continue;
    for (const above of levelsAbove(entry.name)) {
      const parent = named.get(above);
      if (parent !== undefined) parent.hiddenBelow = true;
    }
  }
}

function byName(a: Entry, b: Entry): number {
  if (a.name === 'INBOX' || b.name === 'INBOX') return a.name === 'INBOX' ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function isSelected(entry: Entry, given: ListArguments): boolean {
  const subscribed = !given.select.has('SUBSCRIBED') || entry.subscribed;
  const special = !given.select.has('SPECIAL-USE') || (entry.state?.specialUses ?? []).length > 0;
  return subscribed && special;
}

function isWanted(entry: Entry, given: ListArguments): boolean {
  if (given.select.has('RECURSIVEMATCH') && entry.hiddenBelow) return true;
  if (!isSelected(entry, given)) return false;
  return entry.kind === 'mailbox' || (given.select.has('SUBSCRIBED') ? entry.subscribed : entry.hasChildren);
}

function listLine(session: Session, entry: Entry, given: ListArguments): string {
  const attributes: string[] = [];
  if (entry.kind === 'level') attributes.push(given.syntax === 'extended' || session.isEnabled('IMAP4REV2') ? '\\NonExistent' : '\\Noselect');
  attributes.push(entry.hasChildren ? '\\HasChildren' : '\\HasNoChildren');
  if (entry.subscribed && (given.returns.has('SUBSCRIBED') || given.select.has('SUBSCRIBED'))) attributes.push('\\Subscribed');
  attributes.push(...(entry.state?.specialUses ?? []));
  const childInfo = given.select.has('RECURSIVEMATCH') && entry.selectedBelow && given.select.has('SUBSCRIBED') ? ' ("CHILDINFO" ("SUBSCRIBED"))' : '';
  return `* LIST (${attributes.join(' ')}) "/" ${formatMailbox(session, entry.name)}${childInfo}`;
}
