/** Gathers what the texts of messages say and makes a segment of it. In memory, for some thousand messages at a time. */
import type { HeaderField } from '../../shared/mime/header.ts';
import type { Part } from '../../shared/mime/structure.ts';
import type { StoredMessage } from '../storage/storage.ts';
import { fieldsOf, fieldText, fileNames, hearTexts, isText, partsOf, subjectText, valueText } from './message-texts.ts';
import { placeOf } from './place-list.ts';
import { anyRunInPieces, encodeSegment, fields, mostMessages } from './segment-format.ts';
import type { Field, TableEntry, TableSource, TokenKind } from './segment-format.ts';
import { TokenLists } from './token-lists.ts';
import { scanTokens } from './tokens.ts';
import type { TokenSink } from './tokens.ts';

/** A message with more text than this is not indexed, but always looked into: characters. */
const mostCharacters = 8 * 1024 * 1024;
/** Entries (a place of a word, a piece in a message) after which a segment is full: what the indexer holds in memory is bounded by it. */
export const mostEntries = 2_000_000;

const byField: ReadonlyMap<string, Field> = new Map([['from', 'from'], ['to', 'to'], ['cc', 'cc']]);

/** What cannot be indexed of one message: the rest of it is not, either. */
class TooMuchText extends Error {}

export class SegmentBuilder {
  readonly #uids: number[] = [];
  readonly #opaque: number[] = [];
  readonly #lists: Readonly<Record<Field, Readonly<Record<TokenKind, TokenLists>>>>;
  readonly #sinks: Readonly<Record<Field, TokenSink>>;
  /** Tokens of the message that is being added, so far. */
  #count: Record<Field, number> = noneOfAny();
  #rank = -1;
  readonly #entriesWhenFull: number;

  constructor(entriesWhenFull: number) {
    this.#entriesWhenFull = entriesWhenFull;
    const perField = <Made>(make: (field: Field) => Made): Record<Field, Made> => Object.fromEntries(fields.map((field) => [field, make(field)])) as Record<Field, Made>;
    this.#lists = perField(() => ({ word: new TokenLists(), piece: new TokenLists() }));
    this.#sinks = perField((field) => {
      const { word, piece } = this.#lists[field];
      return {
        word: (token, before) => word.addWord(token, this.#rank, placeOf(this.#count[field]++, before)),
        pieces: (run, before) => {
          word.addWord(anyRunInPieces, this.#rank, placeOf(this.#count[field]++, before));
          piece.addPieces(run, this.#rank);
        },
      };
    });
  }

  get messages(): number {
    return this.#uids.length;
  }

  get isFull(): boolean {
    const entries = fields.reduce((sum, field) => sum + this.#lists[field].word.entries + this.#lists[field].piece.entries, 0);
    return entries >= this.#entriesWhenFull || this.#uids.length >= mostMessages;
  }

  /** Adds a message; uids ascend. One that can't be read, or has too much text, is noted as always to be looked into. */
  async add(uid: number, message: StoredMessage): Promise<void> {
    this.#uids.push(uid);
    this.#rank += 1;
    this.#count = noneOfAny();
    try {
      await this.#addTexts(message);
    } catch (error) {
      // Whoever searches hears what is wrong with it when he looks into it.
      if (!(error instanceof TooMuchText) && !(error instanceof Error && error.name === 'Failure')) throw error;
      this.#opaque.push(this.#rank);
    }
  }

  /** The bytes of the segment's file. */
  encode(): Buffer[] {
    return encodeSegment({ uids: this.#uids, opaque: this.#opaque, tables: this.#tables() });
  }

  async #addTexts(message: StoredMessage): Promise<void> {
    const { root } = message.structure;
    const enclosed = new Set<Part>();
    let left = mostCharacters;
    const scan = (field: Field, text: string): void => {
      left -= text.length;
      if (left < 0) throw new TooMuchText();
      scanTokens(text, this.#sinks[field]);
    };
    scan('subject', subjectText(message));
    for (const part of partsOf(root)) {
      const partFields = await fieldsOf(message, part);
      for (const field of partFields) scan('head', fieldText(field));
      for (const name of fileNames(part)) scan('head', name);
      if (part === root) for (const field of partFields) this.#scanValue(field, scan);
      if (enclosed.has(part)) for (const field of partFields) scan('body', fieldText(field));
      const [inner] = part.type === 'message' ? part.children : [];
      if (inner !== undefined) enclosed.add(inner);
      if (!isText(part)) continue;
      await hearTexts(message, part, { hear: ({ text, ends }) => {
        if (ends === 'inside') throw new TooMuchText(); // what is cut in two there would be missed
        scan('body', text);
        return 'more';
      } });
    }
  }

  #scanValue(field: HeaderField, scan: (field: Field, text: string) => void): void {
    const name = byField.get(field.name);
    if (name !== undefined) scan(name, valueText(field));
  }

  *#tables(): Generator<TableSource> {
    for (const field of fields) {
      for (const kind of ['word', 'piece'] as const) {
        const tokens = this.#lists[field][kind].sorted();
        for (const width of ['narrow', 'wide'] as const) {
          yield { field, kind, width, entries: entriesOf(tokens.filter(({ token }) => isNarrow(token) === (width === 'narrow')), kind) };
        }
      }
    }
  }
}

/** Each list is made when its turn comes. */
function* entriesOf(tokens: ReturnType<TokenLists['sorted']>, kind: TokenKind): Generator<TableEntry> {
  for (const { entry } of tokens) {
    const { token, ranks, writePlaces } = entry();
    yield kind === 'word' ? { token, ranks, writePlaces } : { token, ranks };
  }
}

function noneOfAny(): Record<Field, number> {
  return { body: 0, head: 0, subject: 0, from: 0, to: 0, cc: 0 };
}

function isNarrow(token: string): boolean {
  for (let at = 0; at < token.length; at += 1) if (token.charCodeAt(at) > 0xff) return false;
  return true;
}
