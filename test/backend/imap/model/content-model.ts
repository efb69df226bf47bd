/** What FETCH shows of a message beside its flags: size, text, decoded part (RFC 3516), preview (RFC 8970); and what never changes: its ids (RFC 8474) and when it came there (RFC 8514). */
import assert from 'node:assert/strict';
import type { Letter } from './letters.ts';
import type { AccountModel, ModelMailbox, ModelMessage } from './mailbox-model.ts';
import type { Fetched } from './responses.ts';
import { Threads } from './thread-model.ts';

/** Ids that nobody can predict, as they were told first. */
export class Identities {
  readonly #letters = new Map<Letter, Pick<Fetched, 'emailId' | 'threadId'>>();
  readonly #threads = new Map<symbol, string | undefined>();
  readonly #mailboxes = new Map<ModelMailbox, string>();
  readonly threads = new Threads();

  /** Copies have the ids of what they were made from, and no others have. */
  checkMessage(letter: Letter, { emailId, threadId }: Pick<Fetched, 'emailId' | 'threadId'>): void {
    const known = this.#letters.get(letter);
    if (known === undefined) assert.ok([...this.#letters.values()].every((one) => one.emailId !== emailId), `EMAILID ${String(emailId)} is of another message`);
    else assert.deepEqual({ emailId, threadId }, known, 'ids');
    this.#letters.set(letter, { emailId, threadId });
    const thread = this.threads.of(letter);
    if (thread !== undefined) this.#checkThread(thread, threadId);
  }

  #checkThread(thread: symbol, id: string | undefined): void {
    if (this.#threads.has(thread)) assert.equal(id, this.#threads.get(thread), `THREADID of ${String(thread)}`);
    else assert.ok([...this.#threads.values()].every((one) => one !== id), `THREADID ${String(id)} of ${String(thread)} is of another thread`);
    this.#threads.set(thread, id);
  }

  /** A mailbox keeps its own whatever it is called, and none of an earlier one of its name (RFC 8474 section 4). */
  checkMailbox(mailbox: ModelMailbox, id: string | undefined): void {
    const known = this.#mailboxes.get(mailbox);
    if (known === undefined) assert.ok(id !== undefined && ![...this.#mailboxes.values()].includes(id), `MAILBOXID ${String(id)} of ${mailbox.name}`);
    else assert.equal(id, known, `MAILBOXID of ${mailbox.name}`);
    this.#mailboxes.set(mailbox, id ?? '');
  }
}

/** @param of the message if it is still there; name: for whom a failure is read */
export function checkContent(fetched: Fetched, of: { readonly letter: Letter; readonly message: ModelMessage | undefined; readonly account: AccountModel; readonly name: string }): void {
  const { letter, message, account, name } = of;
  const { size, body, binary, binarySize, preview, emailId, savedMs } = fetched;
  const predicted = { size: letter.text.length, body: letter.text, binary: letter.body, binarySize: letter.body.length, preview: letter.preview };
  for (const [item, value] of Object.entries({ size, body, binary, binarySize, preview })) if (value !== undefined) assert.equal(value, predicted[item as keyof typeof predicted], `${name}: ${item}`);
  if (emailId !== undefined) account.identities.checkMessage(letter, fetched);
  if (savedMs !== undefined && message !== undefined) assert.equal(savedMs, message.savedMs - (message.savedMs % 1000), `${name}: SAVEDATE`);
}
