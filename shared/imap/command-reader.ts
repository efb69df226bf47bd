/**
 * Puts one command together from lines and literals (RFC 9051 section 4.3), within limits: a client may not make us
 * hold more than `maxBytes`. The long literal of APPEND is left in the stream for the caller, who is asked for each one.
 */
import { Scanner, malformed } from './scanner.ts';

/** A literal announced at the end of a line. */
export interface AnnouncedLiteral {
  readonly size: number;
  /** A client waits for our `+` before a synchronizing literal; the other kind (`{5+}`, RFC 7888) follows at once. */
  readonly kind: 'synchronizing' | 'non-synchronizing';
  /** `binary`: a literal8, which alone may hold NUL (RFC 9051 sections 4.3.1 and 9). */
  readonly holds: 'text' | 'binary';
}

/** Where bytes come from; a Connection is one. */
export interface ByteSource {
  readLine(): Promise<string | undefined>;
  readBytes(length: number): Promise<Buffer>;
  readStream(length: number): AsyncIterable<Buffer>;
}

export interface ReadOptions {
  /** Most bytes of one command, lines and literals together. */
  readonly maxBytes: number;
  /** Most bytes of refused non-synchronizing literals that are read and thrown away for one command. */
  readonly maxDiscardedBytes: number;
  /** Sends the continuation request. */
  readonly invite: () => Promise<void>;
  /** True when the caller reads this literal itself; `text` is the command so far, without the announcement. */
  readonly takesOver: (text: string, literal: AnnouncedLiteral) => boolean;
}

export type ReadCommand =
  | { readonly kind: 'command'; readonly text: string }
  /** The literal is still in the stream (or not yet invited); then the rest of the command comes. */
  | { readonly kind: 'literal'; readonly text: string; readonly literal: AnnouncedLiteral }
  /** The command was longer than allowed and is gone. */
  | { readonly kind: 'too-long'; readonly text: string }
  /** So long that the stream can't be followed any more. */
  | { readonly kind: 'hopeless'; readonly text: string }
  | { readonly kind: 'end' };

/** However many digits: a size beyond all numbers is one that is refused. */
const announcement = /(~?)\{(\d+)(\+?)\}$/;

/** The literal that a line announces at its end, and the line before it. */
export function announcedLiteral(line: string): { readonly before: string; readonly literal: AnnouncedLiteral } | undefined {
  const match = announcement.exec(line);
  if (match === null) return undefined;
  const literal: AnnouncedLiteral = { size: Number(match[2]), kind: match[3] === '+' ? 'non-synchronizing' : 'synchronizing', holds: match[1] === '~' ? 'binary' : 'text' };
  return { before: line.slice(0, match.index), literal };
}

/** Reads the next command. Rejects as the source does (overlong line, idle time, broken off). */
export async function readCommand(source: ByteSource, options: ReadOptions): Promise<ReadCommand> {
  let text = '';
  for (;;) {
    const line = await source.readLine();
    if (line === undefined) return { kind: 'end' };
    const announced = announcedLiteral(line);
    if (announced !== undefined && options.takesOver(text + announced.before, announced.literal)) {
      return { kind: 'literal', text: text + announced.before, literal: announced.literal };
    }
    const size = announced?.literal.size ?? 0;
    if (text.length + line.length + size > options.maxBytes) {
      return discardRest(source, { text: (text + line).slice(0, 200), literal: announced?.literal, maxBytes: options.maxDiscardedBytes });
    }
    text += line;
    if (announced === undefined) return { kind: 'command', text };
    if (announced.literal.kind === 'synchronizing') await options.invite();
    text += `\r\n${(await source.readBytes(size)).toString('latin1')}`;
  }
}

/** What is left of a command that is refused: a synchronizing literal never comes, the others must be read past. */
export async function discardRest(
  source: ByteSource,
  refused: { readonly text: string; readonly literal: AnnouncedLiteral | undefined; readonly maxBytes: number },
): Promise<ReadCommand> {
  const { text } = refused;
  let literal = refused.literal;
  let left = refused.maxBytes;
  while (literal?.kind === 'non-synchronizing') {
    if (literal.size > left) return { kind: 'hopeless', text };
    left -= literal.size;
    for await (const piece of source.readStream(literal.size)) void piece;
    const line = await source.readLine();
    if (line === undefined) return { kind: 'end' };
    literal = announcedLiteral(line)?.literal;
  }
  return { kind: 'too-long', text };
}

/** A command's first words, and a scanner that stands behind them. */
export interface CommandStart {
  readonly tag: string;
  /** In capitals; two words for the UID commands: `UID FETCH`. */
  readonly verb: string;
  readonly arguments: Scanner;
}

/** The tag of a command that is otherwise not understood, `*` when even that is missing. */
export function tagOf(text: string): string {
  return /^[^\x00-\x20\x7f-\xff(){%*"\\+]+(?= )/.exec(text)?.[0] ?? '*';
}

/** Reads tag and verb. @throws bad-input */
export function startCommand(text: string): CommandStart {
  if (holdsNul(text)) throw malformed('NUL is not allowed in a command');
  const scanner = new Scanner(text);
  const tag = scanner.tag();
  scanner.space();
  const verb = scanner.word();
  if (verb !== 'UID') return { tag, verb, arguments: scanner };
  scanner.space();
  return { tag, verb: `UID ${scanner.word()}`, arguments: scanner };
}

/** Anywhere but in a literal8, which may hold it (RFC 9051 section 4.3). */
function holdsNul(text: string): boolean {
  if (!text.includes('\0')) return false;
  let rest = text;
  for (let match = literal8.exec(rest); match !== null; match = literal8.exec(rest)) {
    if (rest.slice(0, match.index).includes('\0')) return true;
    rest = rest.slice(match.index + match[0].length + Number(match[1]));
  }
  return rest.includes('\0');
}

const literal8 = /~\{(\d{1,10})\+?\}\r\n/;
