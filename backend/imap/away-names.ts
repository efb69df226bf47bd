/**
 * Names of folders on another node as its NOTIFY told them (RFC 5465 section 5.4). To a guest a node says with NOTIFY SET which are there now; after an outage that is compared with what the
 * client knows, and the difference told. Names are kept as they stand on the wire.
 */
import { formatName } from '../../shared/imap/strings.ts';

interface Known {
  /** But those that say what the user may do. */
  readonly attributes: string;
  readonly access: 'open' | 'closed';
  /** Whether the client hears of the name, or of messages alone. */
  readonly named: boolean;
}

interface Listed extends Known {
  readonly name: string;
  readonly oldName: string | undefined;
  /** Undefined where the client is to be told. */
  readonly notified: string | undefined;
}

const listResponse = /^\* LIST \(([^)]*)\) "\/" ("(?:[^"\\]|\\.)*"|[^ ]+)(?: \("OLDNAME" \(("(?:[^"\\]|\\.)*"|[^ )]+)\)\)| \("X-WAYBILL-NOTIFIED" \(([^)]*)\)\))?$/;

/** Whether it says what a node tells of from now on: meant for us, not for the client. */
export function isNotified(line: string): boolean {
  return listOf(line)?.notified !== undefined;
}

export class AwayNames {
  /** By what NOTIFY asked for, in which encoding of names; the names mean nothing to another question. */
  #question = '';
  #known = new Map<string, Known>();

  /** Whether that question was the last. */
  answers(question: string): boolean {
    return this.#question === question;
  }

  /** A response passes on its way to the client. */
  note(line: string): void {
    const listed = listOf(line);
    if (listed === undefined || listed.notified !== undefined) return;
    const { name, oldName, attributes } = listed;
    if (oldName !== undefined) this.#rename(oldName, name);
    const before = this.#known.get(name);
    if (attributes.includes('\\NonExistent')) this.#known.delete(name);
    else if (listed.access === 'closed' || attributes === '') {
      if (before !== undefined) this.#known.set(name, { ...before, access: listed.access });
    } else this.#known.set(name, { attributes, access: before?.access ?? 'open', named: before?.named ?? true });
  }

  /** What is different now, as LIST responses; where another question was asked before, which of the folders that it means may not be read (RFC 5465 section 3.1). */
  compare(question: string, lines: readonly string[]): string[] {
    const now = new Map(lines.flatMap((line) => {
      const listed = listOf(line);
      return listed === undefined ? [] : [[listed.name, listed]];
    }));
    const before = this.#question === question ? this.#known : undefined;
    this.#question = question;
    this.#known = now;
    if (before === undefined) return [...now.values()].flatMap(({ name, access }) => (access === 'closed' ? [responseOf('\\NoAccess', name)] : []));
    const gone = [...before].flatMap(([name, known]) => (now.has(name) ? [] : goneLine(name, known)));
    return [...gone, ...[...now.values()].flatMap((listed) => changedLines(listed, before.get(listed.name)))];
  }

  /** There is nothing any more that the user may see. */
  loseAll(): string[] {
    return this.compare(this.#question, []);
  }

  #rename(oldName: string, name: string): void {
    for (const [former, known] of [...this.#known]) {
      if (former !== oldName && !former.startsWith(`${oldName}/`)) continue;
      this.#known.delete(former);
      this.#known.set(name + former.slice(oldName.length), known);
    }
  }
}

function goneLine(name: string, { named, access }: Known): string[] {
  if (named) return [responseOf('\\NonExistent \\HasNoChildren', name)];
  return access === 'open' ? [responseOf('\\NoAccess', name)] : [];
}

function changedLines({ name, attributes, access, named }: Listed, before: Known | undefined): string[] {
  if (named && before?.attributes !== attributes) return [responseOf(attributes, name)];
  if (before === undefined || before.access === access) return [];
  return [responseOf(access === 'closed' ? '\\NoAccess' : '', name)];
}

function responseOf(attributes: string, name: string): string {
  return `* LIST (${attributes}) "/" ${formatName(name)}`;
}

function listOf(line: string): Listed | undefined {
  const [whole, all = '', name = '', oldName, notified] = listResponse.exec(line) ?? [];
  if (whole === undefined) return undefined;
  const attributes = all.split(' ').filter((each) => each !== '\\NoAccess' && each !== '\\Subscribed').join(' ');
  return { name: unquoted(name), oldName: oldName === undefined ? undefined : unquoted(oldName), attributes, access: all.includes('\\NoAccess') ? 'closed' : 'open', named: notified?.includes('MailboxName') === true, notified };
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
}
