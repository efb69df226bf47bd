/** Workers of a node in one process: the real ends of notices and questions, and what a supervisor does between them. */
import { NoticeBoard, WorkerNotices } from '../../shared/service/notices.ts';
import { deskSlot, WorkerSiblings } from '../../shared/service/siblings.ts';
import type { Desk } from '../../shared/service/question-desk.ts';

interface Worker {
  readonly notices: WorkerNotices;
  readonly siblings: WorkerSiblings;
  /** It is gone. */
  end(): void;
  /** What others ask it waits until it has time again, which the answer says. */
  beBusy(): () => void;
}

interface Member extends Worker {
  hear(work: () => void): void;
}

export class WorkerNode {
  /** Posts and questions so far. */
  messages = 0;
  readonly #board = new NoticeBoard();
  readonly #workers: Member[] = [];
  readonly #carry: (work: () => void) => void;
  readonly #desk: Desk;

  /**
   * @param carry how questions and answers travel: at once when absent
   * @param desk what the supervisor itself answers
   */
  constructor(carry: (work: () => void) => void = (work) => work(), desk: Desk = {}) {
    this.#carry = carry;
    this.#desk = desk;
  }

  worker(): Worker {
    let waiting: (() => void)[] | undefined;
    const beBusy = (): (() => void) => {
      waiting = [];
      return () => {
        const work = waiting ?? [];
        waiting = undefined;
        for (const one of work) one();
      };
    };
    const slot = this.#workers.length;
    const others = (): Member[] => this.#workers.filter((_, index) => index !== slot);
    const notices: WorkerNotices = new WorkerNotices((report) => {
      if (report.kind === 'subscribe') for (const order of this.#board.kept(report.topic)) notices.receive(order);
      if (report.kind !== 'post') return;
      this.messages += 1;
      this.#board.post(report.topic, report.key, report.value);
      for (const other of others()) other.notices.receive({ kind: 'notices', topic: report.topic, notices: [{ key: report.key, value: report.value, ageMs: 0 }] });
    });
    const siblings: WorkerSiblings = new WorkerSiblings((report) => {
      if (report.kind === 'answer') this.#carry(() => this.#workers[report.asker]?.siblings.receive({ kind: 'answer', round: report.round, slot, answer: report.answer }));
      if (report.kind !== 'ask') return;
      this.messages += 1;
      const atDesk = this.#desk[report.topic];
      if (atDesk !== undefined) {
        this.#carry(() => siblings.receive({ kind: 'asked', round: report.round, others: [deskSlot] }));
        return this.#carry(() => siblings.receive({ kind: 'answer', round: report.round, slot: deskSlot, answer: atDesk(report.question) }));
      }
      const asked = others();
      this.#carry(() => siblings.receive({ kind: 'asked', round: report.round, others: asked.map((other) => this.#workers.indexOf(other)) }));
      for (const other of asked) this.#carry(() => other.hear(() => other.siblings.receive({ ...report, asker: slot })));
    });
    const hear = (work: () => void): void => {
      if (waiting === undefined) work();
      else waiting.push(work);
    };
    const end = (): void => {
      for (const other of others()) other.siblings.receive({ kind: 'gone', slot });
    };
    const worker = { notices, siblings, beBusy, end, hear };
    this.#workers.push(worker);
    return worker;
  }
}
