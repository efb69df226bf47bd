/**
 * How a node says to another, for its client, which folders there are of which NOTIFY tells, and how they are: LIST responses with an item of our own (RFC 5258 section 6),
 * `("X-WAYBILL-NOTIFIED" (ID (EVENTS) (ENTRY NUMBER …)))`. Said at NOTIFY SET of all, and then of each that is different, behind the news of that. Pure, but for what was said last.
 */
import { formatAstring, formatName } from '../../shared/imap/strings.ts';

export interface NotifiedName {
  /** As it stands on the wire. */
  readonly name: string;
  /** MAILBOXID (RFC 8474), which stays when the folder is renamed or moves to another node. */
  readonly mailboxId: string;
  /** Whether the client hears of the name. */
  readonly named: boolean;
  /** Of messages: whether it hears of them. `closed`: the user has not got a right for something that is meant, messages or annotations. */
  readonly messages: 'told' | 'closed' | 'not meant';
  /** By entry, what tells one value from the next; undefined where nothing is told of annotations. */
  readonly annotations: ReadonlyMap<string, string> | undefined;
}

const quotedOrAtom = /"(?:[^"\\]|\\.)*"|[^ ()"]+/;
const lineStart = new RegExp(`^\\* LIST \\(([^)]*)\\) "/" (${quotedOrAtom.source}) \\("X-WAYBILL-NOTIFIED" `);
const lineEnd = /^\(([^ ()]+) \(([^()]*)\)(?: \((.*)\))?\)\)$/;

export function formatNotified({ name, mailboxId, named, messages, annotations }: NotifiedName): string {
  const events = [...(named ? ['MailboxName'] : []), ...(messages === 'told' ? ['MessageNew'] : [])].join(' ');
  const entries = annotations === undefined ? '' : ` (${Array.from(annotations, ([entry, number]) => `${formatAstring(entry)} ${number}`).join(' ')})`;
  return `* LIST (${messages === 'closed' ? '\\NoAccess' : ''}) "/" ${formatName(name)} ("X-WAYBILL-NOTIFIED" (${mailboxId} (${events})${entries}))`;
}

/** Nothing more is told of it: it is gone, or not to be seen. */
function formatUnnotified({ name, mailboxId }: NotifiedName): string {
  return `* LIST (\\NonExistent) "/" ${formatName(name)} ("X-WAYBILL-NOTIFIED" (${mailboxId} ()))`;
}

/** Whether it is such a line, of whatever version. */
export function isNotified(line: string): boolean {
  return lineStart.test(line);
}

/** Undefined for a line that is not understood. */
export function parseNotified(line: string): { readonly of: NotifiedName; readonly is: 'there' | 'gone' } | undefined {
  const [start, attributes = '', name = ''] = lineStart.exec(line) ?? [];
  const [end, mailboxId = '', events = '', entries] = start === undefined ? [] : lineEnd.exec(line.slice(start.length)) ?? [];
  if (end === undefined) return undefined;
  const words = Array.from((entries ?? '').matchAll(new RegExp(quotedOrAtom, 'g')), ([word]) => unquoted(word));
  const annotations = entries === undefined ? undefined : new Map(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? ''] as const] : [])));
  const messages = attributes.includes('\\NoAccess') ? 'closed' : events.includes('MessageNew') ? 'told' : 'not meant';
  return { of: { name: unquoted(name), mailboxId, named: events.includes('MailboxName'), messages, annotations }, is: attributes.includes('\\NonExistent') ? 'gone' : 'there' };
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
}

/** What a node has said in this way. */
export class SaidNames {
  #said: ReadonlyMap<string, { readonly of: NotifiedName; readonly line: string }> = new Map();

  /** The lines of those that are not as they were said last. */
  unsaid(names: readonly NotifiedName[]): string[] {
    const before = this.#said;
    const now = new Map(names.map((of) => [of.mailboxId, { of, line: formatNotified(of) }]));
    this.#said = now;
    const gone = [...before].flatMap(([id, { of }]) => (now.has(id) ? [] : [formatUnnotified(of)]));
    return [...gone, ...[...now].flatMap(([id, { line }]) => (before.get(id)?.line === line ? [] : [line]))];
  }
}
