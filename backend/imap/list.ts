/** LIST and LSUB (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154). */
import { parseList } from '../../shared/imap/list-arguments.ts';
import type { ListArguments } from '../../shared/imap/list-arguments.ts';
import { compilePattern } from '../../shared/imap/list-pattern.ts';
import type { Account, MailboxState } from '../storage/storage.ts';
import { accountCommand } from './command.ts';
import { formatMailbox, statusLine } from './mailbox-lines.ts';
import { tellAnnotations, valuesAt } from './metadata.ts';
import { ok } from './replies.ts';
import type { Session } from './session.ts';

/** A name of the hierarchy; without `state` it is only a level above others, or a subscription to what is gone. */
interface Entry {
  readonly name: string;
  readonly state: MailboxState | undefined;
  readonly subscribed: boolean;
  hasChildren: boolean;
  /** Something below satisfies the selection options (RECURSIVEMATCH). */
  selectedBelow: boolean;
}

export const list = accountCommand({
  verb: 'LIST',
  parse: (scanner, session) => parseList(scanner, session.names),
  run: async ({ session, account }, given) => {
    if (given.syntax === 'basic' && given.patterns[0] === '') {
      session.output.line('* LIST (\\Noselect) "/" ""');
      return ok('LIST completed');
    }
    const patterns = given.patterns.map((pattern) => compilePattern(given.reference + pattern));
    for (const entry of hierarchy(account, given)) {
      if (!patterns.some((matches) => matches(entry.name)) || !isWanted(entry, given)) continue;
      session.output.line(listLine(session, entry, given));
      if (given.status.length > 0 && entry.state !== undefined) session.output.line(statusLine(session, entry.state, given.status));
      if (given.metadata.length > 0 && entry.state !== undefined) {
        tellAnnotations(session, { mailbox: entry.name, entries: given.metadata, depth: 0, maxSize: undefined }, valuesAt(session, account, entry.name));
      }
      if (session.output.full) await session.output.flush();
    }
    return ok('LIST completed');
  },
});

export const lsub = accountCommand({
  verb: 'LSUB',
  parse: (scanner, session) => parseList(scanner, session.names),
  run: async ({ session, account }, given) => {
    const pattern = given.reference + (given.patterns[0] ?? '');
    const matches = compilePattern(pattern);
    const recursive: ListArguments = { ...given, select: new Set(['SUBSCRIBED', 'RECURSIVEMATCH']) };
    for (const entry of hierarchy(account, recursive)) {
      // A level that is not subscribed itself shows only where % hides what is below it (RFC 3501 section 6.3.9).
      const hidden = !entry.subscribed && entry.selectedBelow && pattern.endsWith('%');
      if (!matches(entry.name) || (!entry.subscribed && !hidden)) continue;
      const attributes = hidden || entry.state === undefined ? '\\Noselect' : '';
      session.output.line(`* LSUB (${attributes}) "/" ${formatMailbox(session, entry.name)}`);
      if (session.output.full) await session.output.flush();
    }
    return ok('LSUB completed');
  },
});

/** A LIST response that says under which other name the client knows the mailbox (RFC 9051 section 6.3.9.7). */
export function oldNameLine(session: Session, account: Account, { name, oldName }: { readonly name: string; readonly oldName: string | undefined }): string {
  const [line = ''] = hierarchyLines(session, account, new Set([name]));
  return oldName === undefined ? line : `${line} ("OLDNAME" (${formatMailbox(session, oldName)}))`;
}

/** LIST responses of these names, whether they are there or not, as NOTIFY tells them (RFC 5465 sections 5.4 and 5.5). */
export function hierarchyLines(session: Session, account: Account, names: ReadonlySet<string>): string[] {
  const given: ListArguments = { reference: '', patterns: [], select: new Set(), syntax: 'extended', returns: new Set(['SUBSCRIBED']), status: [], metadata: [] };
  const entries = new Map(hierarchy(account, given).map((entry) => [entry.name, entry]));
  return [...names].map((name) => listLine(session, entries.get(name) ?? { name, state: undefined, subscribed: false, hasChildren: false, selectedBelow: false }, given));
}

/** All names in order, with what their descendants say about them. */
function hierarchy(account: Account, given: ListArguments): Entry[] {
  const subscriptions = new Set(account.subscriptions());
  const entries = new Map<string, Entry>();
  const add = (name: string, state: MailboxState | undefined): void => {
    if (entries.has(name)) return;
    entries.set(name, { name, state, subscribed: subscriptions.has(name), hasChildren: false, selectedBelow: false });
  };
  for (const state of account.mailboxes()) add(state.name, state);
  for (const name of subscriptions) add(name, undefined);
  for (const name of [...entries.keys()]) for (const above of levelsAbove(name)) add(above, undefined);
  for (const entry of entries.values()) {
    for (const above of levelsAbove(entry.name)) {
      const parent = entries.get(above);
      if (parent === undefined) continue;
      if (entry.state !== undefined) parent.hasChildren = true;
      if (isSelected(entry, given)) parent.selectedBelow = true;
    }
  }
  return [...entries.values()].sort(byName);
}

function byName(a: Entry, b: Entry): number {
  if (a.name === 'INBOX' || b.name === 'INBOX') return a.name === 'INBOX' ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function levelsAbove(name: string): string[] {
  const levels = name.split('/').slice(0, -1);
  return levels.map((_level, depth) => levels.slice(0, depth + 1).join('/'));
}

function isSelected(entry: Entry, given: ListArguments): boolean {
  const subscribed = !given.select.has('SUBSCRIBED') || entry.subscribed;
  const special = !given.select.has('SPECIAL-USE') || (entry.state?.specialUses ?? []).length > 0;
  return subscribed && special;
}

function isWanted(entry: Entry, given: ListArguments): boolean {
  if (given.select.has('RECURSIVEMATCH') && entry.selectedBelow) return true;
  if (!isSelected(entry, given)) return false;
  return entry.state !== undefined || (given.select.has('SUBSCRIBED') ? entry.subscribed : entry.hasChildren);
}

function listLine(session: Session, entry: Entry, given: ListArguments): string {
  const attributes: string[] = [];
  if (entry.state === undefined) attributes.push(given.syntax === 'extended' || session.isEnabled('IMAP4REV2') ? '\\NonExistent' : '\\Noselect');
  attributes.push(entry.hasChildren ? '\\HasChildren' : '\\HasNoChildren');
  if (entry.subscribed && (given.returns.has('SUBSCRIBED') || given.select.has('SUBSCRIBED'))) attributes.push('\\Subscribed');
  attributes.push(...(entry.state?.specialUses ?? []));
  const childInfo = given.select.has('RECURSIVEMATCH') && entry.selectedBelow && given.select.has('SUBSCRIBED') ? ' ("CHILDINFO" ("SUBSCRIBED"))' : '';
  return `* LIST (${attributes.join(' ')}) "/" ${formatMailbox(session, entry.name)}${childInfo}`;
}
