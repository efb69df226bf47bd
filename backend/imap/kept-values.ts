/**
 * What was worked out from the headers of messages (sort values, searched texts, ids of threads), kept by the worker for mailboxes that are looked at
 * again and again: a header never changes, and reading it costs ten times what the rest of a SORT or SEARCH does. Bounded in bytes.
 */

/** Of all mailboxes of a worker together, as `bytesOf` estimates them. */
const mostBytes = 48 * 1024 * 1024;
const unusedMs = 10 * 60_000;
/** A column of which nothing is known yet, with its name. */
const columnBytes = 400;

/** Values by uid, of one mailbox. Whoever has it may go on with it when it is kept no longer: then it knows nothing, and keeps nothing. */
export class KeptColumn<Value> {
  readonly #values = new Map<number, Value>();
  readonly #grew: (bytes: number) => void;
  #isKept = true;
  bytes = columnBytes;
  usedAtMs = 0;

  constructor(grew: (bytes: number) => void) {
    this.#grew = grew;
  }

  get(uid: number): Value | undefined {
    return this.#values.get(uid);
  }

  /** Once for each uid. Texts within a value have to be `ownText`. */
  add(uid: number, value: Value): void {
    if (!this.#isKept) return; // a search of the largest mailbox would hold all of it until it ends
    this.#values.set(uid, typeof value === 'string' ? ownText(value) as Value & string : value);
    const bytes = entryBytes + bytesOf(value);
    this.bytes += bytes;
    this.#grew(bytes);
  }

  drop(): void {
    this.#isKept = false;
    this.#values.clear();
  }
}

export class KeptColumns {
  readonly #mostBytes: number;
  /** The longest unused first. */
  readonly #columns = new Map<string, KeptColumn<unknown>>();
  #bytes = 0;

  constructor(limit = mostBytes) {
    this.#mostBytes = limit;
  }

  /** In bytes. */
  get size(): number {
    return this.#bytes;
  }

  /** What is kept under that name, which has to stand for one kind of value: new and empty, if nothing is. */
  of<Value>(name: string): KeptColumn<Value> {
    const nowMs = Date.now();
    this.#dropWhile(({ usedAtMs }) => usedAtMs < nowMs - unusedMs);
    const known = this.#columns.get(name);
    const column = known ?? new KeptColumn<unknown>((bytes) => this.#count(bytes));
    this.#columns.delete(name);
    this.#columns.set(name, column);
    column.usedAtMs = nowMs;
    if (known === undefined) this.#count(column.bytes);
    return column as KeptColumn<Value>;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#dropWhile(() => this.#bytes > this.#mostBytes);
  }

  #dropWhile(isTooMuch: (oldest: KeptColumn<unknown>) => boolean): void {
    for (const [name, column] of this.#columns) {
      if (!isTooMuch(column)) return;
      this.#columns.delete(name);
      this.#bytes -= column.bytes;
      column.drop();
    }
  }
}

/** A place in a map. */
const entryBytes = 48;
const objectBytes = 24;

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return objectBytes + (latin1.test(value) ? 1 : 2) * value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce((sum: number, part) => sum + bytesOf(part), objectBytes);
}

/** What the engine has one byte for each character of. */
const latin1 = /^[\x00-\xff]*$/;

/** The text, without keeping alive the one that it was cut out of: a line in capitals is a piece of all fields that are kept of its message. */
export function ownText(text: string): string {
  const encoding = latin1.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}
