/**
 * The arguments of APPEND and REPLACE (RFC 9051 section 6.3.12, RFC 3502, RFC 4469, RFC 6855, RFC 8508). The literals of messages stay in the stream,
 * so a command comes in stretches of text, each of which ends with such a literal or with the command.
 */
import { takeDateTime } from './dates.ts';
import { takeFlagList } from './flags.ts';
import type { FlagNames } from './flags.ts';
import { takeMailbox } from './mailbox-arguments.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { Scanner, malformed } from './scanner.ts';
import { parseSequenceSet } from './sequence-set.ts';
import type { Range } from './sequence-set.ts';

/** With what marks a message is to be appended. */
export interface AppendItem {
  readonly flags: FlagNames | undefined;
  readonly internalDateMs: number | undefined;
}

/** What the command says, in its order. */
export type AppendPiece =
  /** A message begins: all of it is one literal, or it is put together from parts. */
  | { readonly kind: 'message'; readonly item: AppendItem; readonly form: 'literal' | 'parts' }
  | { readonly kind: 'url'; readonly url: string }
  /** Stands in the stream, behind the stretch; perhaps announced as holding UTF-8. */
  | { readonly kind: 'literal'; readonly holds: 'bytes' | 'UTF-8' }
  /** Of a message's parts. */
  | { readonly kind: 'end' };

/** How a stretch of text ends. */
export type StretchEnd = 'literal' | 'end';

export type AppendVerb = 'APPEND' | 'REPLACE' | 'UID REPLACE';

export interface AppendHead {
  readonly mailbox: string;
  /** Of REPLACE: the message that is to go. */
  readonly replaced: Range | undefined;
}

export interface AppendArguments {
  readonly head: AppendHead;
  /** Those of the first stretch; the grammar reads the next. */
  readonly pieces: readonly AppendPiece[];
  readonly grammar: AppendGrammar;
}

/** Parts of one command: each costs us memory before a byte of a message has come. */
const mostParts = 1000;

/** Reads stretch after stretch of one command, from behind the mailbox on. */
export class AppendGrammar {
  #place: 'before message' | 'behind UTF8' | 'in parts' | 'behind part' | 'behind UTF8 part' = 'before message';
  #parts = 0;

  /** @throws bad-input, also for a literal where none is due */
  read(scanner: Scanner, end: StretchEnd): AppendPiece[] {
    const pieces: AppendPiece[] = [];
    while (!scanner.atEnd) pieces.push(...this.#take(scanner));
    const open = pieces.at(-1)?.kind === 'literal' ? 'literal' : 'end';
    if (open !== end) throw malformed(open === 'literal' ? 'expected a literal' : 'a literal is not expected here');
    if (end === 'end' && this.#place !== 'before message') throw malformed('expected a further part or )');
    return pieces;
  }

  #take(scanner: Scanner): AppendPiece[] {
    if (this.#place === 'before message') return this.#takeMessage(scanner);
    if (this.#place === 'behind UTF8' || this.#place === 'behind UTF8 part') {
      scanner.expect(')');
      this.#place = this.#place === 'behind UTF8' ? 'before message' : 'behind part';
      return [];
    }
    if (this.#place === 'in parts') return [this.#takePart(scanner)];
    if (scanner.accept(')')) {
      this.#place = 'before message';
      return [{ kind: 'end' }];
    }
    scanner.space();
    this.#place = 'in parts';
    return [];
  }

  #takeMessage(scanner: Scanner): AppendPiece[] {
    const item = takeAppendItem(scanner);
    if (scanner.atEnd) return [{ kind: 'message', item, form: 'literal' }, { kind: 'literal', holds: 'bytes' }];
    if (scanner.acceptText('UTF8 (')) {
      this.#place = 'behind UTF8';
      return [{ kind: 'message', item, form: 'literal' }, takeLiteral(scanner, 'UTF-8')];
    }
    if (!scanner.acceptText('CATENATE (')) throw malformed('expected the message as a literal, or CATENATE');
    this.#place = 'in parts';
    return [{ kind: 'message', item, form: 'parts' }];
  }

  #takePart(scanner: Scanner): AppendPiece {
    this.#parts += 1;
    if (this.#parts > mostParts) throw malformed('too many parts');
    this.#place = 'behind part';
    if (scanner.acceptText('TEXT ')) return takeLiteral(scanner, 'bytes');
    if (scanner.acceptText('UTF8 (')) {
      this.#place = 'behind UTF8 part';
      return takeLiteral(scanner, 'UTF-8');
    }
    if (!scanner.acceptText('URL ')) throw malformed('expected TEXT, UTF8 or URL');
    return { kind: 'url', url: scanner.astring() };
  }
}

function takeLiteral(scanner: Scanner, holds: 'bytes' | 'UTF-8'): AppendPiece {
  if (!scanner.atEnd) throw malformed('expected a literal');
  return { kind: 'literal', holds };
}

function takeAppendItem(scanner: Scanner): AppendItem {
  scanner.space();
  let flags: FlagNames | undefined;
  let internalDateMs: number | undefined;
  if (scanner.peek() === '(') {
    flags = takeFlagList(scanner);
    scanner.space();
  }
  if (scanner.peek() === '"') {
    internalDateMs = takeDateTime(scanner);
    scanner.space();
  }
  return { flags, internalDateMs };
}

/** The arguments behind `verb SP`, as far as the first stretch goes. @throws bad-input */
export function takeAppendArguments(scanner: Scanner, verb: AppendVerb, { names, end }: { readonly names: NameEncoding; readonly end: StretchEnd }): AppendArguments {
  let replaced: Range | undefined;
  if (verb !== 'APPEND') {
    const ranges = parseSequenceSet(scanner.until(/[^\d*]/));
    replaced = ranges[0];
    scanner.space();
  }
  const head = { mailbox: takeMailbox(scanner, names), replaced };
  const grammar = new AppendGrammar();
  const pieces = grammar.read(scanner, end);
  if (pieces.length === 0) throw malformed('expected the message as a literal, or CATENATE');
  return { head, pieces, grammar };
}

/**
 * Whether the literal that follows this beginning of a command belongs to a message, and has to stay in the stream. `never`: nor will
 * any later one of the command. What is nonsense is `never` of a message: then the whole command is read, and refused as such.
 */
export function isBeforeMessage(text: string, names: NameEncoding): 'yes' | 'not yet' | 'never' {
  const [start, verb = ''] = /^[^ ]+ (APPEND|REPLACE|UID REPLACE) /i.exec(text) ?? [];
  if (start === undefined || text.includes('\0')) return 'never';
  // Without reading all of it: a command may have many URLs that are literals.
  if (isBeforeUrl(text.slice(-6)) && /CATENATE \(/i.test(text)) return 'not yet';
  const scanner = new Scanner(text.slice(start.length));
  try {
    takeAppendArguments(scanner, verb.toUpperCase() as AppendVerb, { names, end: 'literal' });
    return 'yes';
  } catch {
    return scanner.atEnd ? 'not yet' : 'never';
  }
}

/** Whether the literal that follows a later stretch is the URL of a part, which belongs to the text. */
export function isBeforeUrl(stretch: string): boolean {
  return /(?:^|[( ])URL $/i.test(stretch);
}
