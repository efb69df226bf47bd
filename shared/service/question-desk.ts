/** The supervisor's part in the questions that workers ask one another (see siblings.ts): it passes them on, brings the answers back, and answers what it has at its own desk. */
import { send } from './member.ts';
import type { Member } from './member.ts';
import type { Report } from './messages.ts';
import { deskSlot } from './siblings.ts';

/** What the supervisor itself answers, by topic, when a worker asks; JSON values. None may throw. */
export type Desk = Readonly<Record<string, (question: unknown) => unknown>>;

export class QuestionDesk {
  readonly #desk: Desk;
  readonly #members: ReadonlySet<Member>;

  /** @param members those who hear that one of them has ended, and of whom askers are */
  constructor(desk: Desk, members: ReadonlySet<Member>) {
    this.#desk = desk;
    this.#members = members;
  }

  /** @param others who is to be asked what is not answered here */
  ask(asker: Member, message: Extract<Report, { kind: 'ask' }>, others: readonly Member[]): void {
    const { round, topic, question } = message;
    if (Object.hasOwn(this.#desk, topic)) {
      send(asker, { kind: 'asked', round, others: [deskSlot] });
      send(asker, { kind: 'answer', round, slot: deskSlot, answer: this.#desk[topic]?.(question) });
      return;
    }
    send(asker, { kind: 'asked', round, others: others.map(({ slot }) => slot) });
    for (const other of others) send(other, { ...message, asker: asker.slot });
  }

  answer({ slot }: Member, { asker: askerSlot, round, answer }: Extract<Report, { kind: 'answer' }>): void {
    const asker = [...this.#members].find((member) => member.slot === askerSlot);
    if (asker !== undefined) send(asker, { kind: 'answer', round, slot, answer });
  }

  /** Nobody waits for the answers of one that has ended. */
  depart({ slot }: Member): void {
    for (const other of this.#members) send(other, { kind: 'gone', slot });
  }
}
