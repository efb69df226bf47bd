/** What was authorised by URLAUTH (RFC 4467), and under which keys. */
import type { Letter } from './letters.ts';
import type { ModelMailbox } from './mailbox-model.ts';

/** A URL that was authorised: of the mailbox that had the name then, under its key of then. */
export interface Authorised {
  readonly url: string;
  readonly name: string;
  readonly key: symbol;
  readonly uidValidity: number | undefined;
  readonly uid: number;
  readonly section: Section;
  /** Undefined: whoever logs in. */
  readonly reader: string | undefined;
  readonly isDue: boolean;
}

export interface Section {
  readonly text: string;
  readonly of: (letter: Letter) => string;
}

/** Of one run. */
export class Urls {
  #keys = new Map<ModelMailbox, symbol>();
  readonly all: Authorised[] = [];

  keyOf(mailbox: ModelMailbox): symbol {
    const key = this.#keys.get(mailbox) ?? Symbol(mailbox.name);
    this.#keys.set(mailbox, key);
    return key;
  }

  reset(mailboxes: Iterable<ModelMailbox>): void {
    for (const mailbox of mailboxes) this.#keys.delete(mailbox);
  }
}
