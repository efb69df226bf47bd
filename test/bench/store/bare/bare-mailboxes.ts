/** What the bare server knows of a mailbox, in the memory of each of its processes: how many messages, their flags, the next UID. */

const flagNames = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const;
/** Of all mailboxes. */
export const uidValidity = 1;

/** Messages from the one number to the other, and what becomes of their flags. */
export interface FlagChange {
  readonly first: number;
  readonly last: number;
  readonly sign: '+' | '-';
  readonly flag: string;
}

export class BareMailbox {
  #messages: number;
  readonly #flags: Uint8Array;
  /** Undefined when a message has come since they were made. */
  #lines: string | undefined;

  /** @param messages that are there from the beginning: theirs are the flags that can be changed */
  constructor(messages: number) {
    this.#messages = messages;
    this.#flags = new Uint8Array(messages);
  }

  get messages(): number {
    return this.#messages;
  }

  /** Takes a message in; answers its UID. */
  add(): number {
    this.#lines = undefined;
    this.#messages += 1;
    return this.#messages;
  }

  /** What SELECT answers before its tagged line. */
  get lines(): string {
    this.#lines ??= [
      `* ${String(this.#messages)} EXISTS`, '* 0 RECENT', `* FLAGS (${flagNames.join(' ')})`, `* OK [PERMANENTFLAGS (${flagNames.join(' ')} \\*)] kept`,
      `* OK [UIDVALIDITY ${String(uidValidity)}] ids`, `* OK [UIDNEXT ${String(this.#messages + 1)}] next`, '',
    ].join('\r\n');
    return this.#lines;
  }

  change({ first, last, sign, flag }: FlagChange): void {
    const bit = 1 << flagNames.findIndex((name) => name === flag);
    for (let at = first - 1; at < last; at += 1) this.#flags[at] = sign === '+' ? (this.#flags[at] ?? 0) | bit : (this.#flags[at] ?? 0) & ~bit;
  }

  /** What FETCH says of the flags of these messages. */
  fetchLines({ first, last }: Pick<FlagChange, 'first' | 'last'>): string {
    let lines = '';
    for (let number = first; number <= last; number += 1) lines += `* ${String(number)} FETCH (FLAGS (${flagNames.filter((_, index) => ((this.#flags[number - 1] ?? 0) & (1 << index)) !== 0).join(' ')}))\r\n`;
    return lines;
  }
}
