/**
 * What was worked out from the headers of messages (sort values, searched texts, ids of threads), kept by the worker for mailboxes that are looked at
 * again and again: a header never changes, and reading it costs ten times what the rest of a SORT or SEARCH does. Bounded in bytes.
 */

/** Of all mailboxes of a worker together, as `bytesOf` estimates them. */
const mostBytes = 48 * 1024 * 1024;
const unusedMs = 10 * 60_000;

/** Values by uid, of one mailbox. Whoever has it may go on with it when it is kept no longer. */
export class KeptColumn<Value> {
  readonly #values = new Map<number, Value>();
  readonly #grew: (column: KeptColumn<Value>, bytes: number) => void;
  bytes = 0;
  usedAtMs = 0;

  constructor(grew: (column: KeptColumn<Value>, bytes: number) => void) {
    this.#grew = grew;
  }

  get(uid: number): Value | undefined {
    return this.#values.get(uid);
  }

  /** Once for each uid. */
  add(uid: number, value: Value): void {
    this.#values.set(uid, value);
    const bytes = entryBytes + bytesOf(value);
    this.bytes += bytes;
    this.#grew(this, bytes);
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
    const column = this.#columns.get(name) ?? new KeptColumn<unknown>((grown, bytes) => this.#count(name, grown, bytes));
    this.#columns.delete(name);
    this.#columns.set(name, column);
    column.usedAtMs = nowMs;
    return column as KeptColumn<Value>;
  }

  #count(name: string, column: KeptColumn<unknown>, bytes: number): void {
    if (this.#columns.get(name) !== column) return;
    this.#bytes += bytes;
    this.#dropWhile(() => this.#bytes > this.#mostBytes);
  }

  #dropWhile(isTooMuch: (oldest: KeptColumn<unknown>) => boolean): void {
    for (const [name, column] of this.#columns) {
      if (!isTooMuch(column)) return;
      this.#columns.delete(name);
      this.#bytes -= column.bytes;
    }
  }
}

/** A place in a map. */
const entryBytes = 48;
const objectBytes = 24;

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return objectBytes + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce((sum: number, part) => sum + bytesOf(part), objectBytes);
}
