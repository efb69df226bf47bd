/** The journey of a session, a message or an address through all nodes, out of their logs; whoever asks the nodes, a command or a node. */
import { z } from 'zod';
import { Failure } from '../shared/base/failure.ts';

export const foundSchema = z.object({ lines: z.array(z.string()), end: z.enum(['complete', 'cut']), keeps: z.enum(['files', 'nothing']) });
export const entrySchema = z.looseObject({ time: z.string(), level: z.number(), host: z.string(), msg: z.string().default('') });
export type Entry = z.output<typeof entrySchema>;

/** A message goes from session to queue to the next node's queue: more steps than this nothing takes. */
const mostSteps = 4;
const mostIds = 200;

/** Asks all nodes for lines with one of the words. */
export type AskLogs = (question: { readonly terms: readonly string[]; readonly sinceMs: number }) => Promise<readonly ({ readonly node: string; readonly answer: unknown } | { readonly node: string; readonly complaint: string })[]>;

export class Journey {
  readonly #askNodes: AskLogs;
  readonly #sinceMs: number;
  readonly #lines = new Map<string, Entry>();
  readonly #complaints = new Set<string>();
  readonly #asked = new Set<string>();

  constructor(askNodes: AskLogs, sinceMs: number) {
    this.#askNodes = askNodes;
    this.#sinceMs = sinceMs;
  }

  get entries(): readonly Entry[] {
    return [...this.#lines.values()].toSorted((one, other) => Date.parse(one.time) - Date.parse(other.time));
  }

  get complaints(): readonly string[] {
    return [...this.#complaints];
  }

  /** Asks for a word, then for the ids that stand in what was found, and so on. */
  async follow(what: string): Promise<void> {
    let terms = [what];
    for (let step = 0; step < mostSteps && terms.length > 0; step += 1) {
      for (const term of terms) this.#asked.add(term);
      await this.#ask(terms);
      const ids = new Set([...this.#lines.values()].flatMap(idsOf).filter((id) => !this.#asked.has(id)));
      if (ids.size > mostIds) this.#complaints.add(`has more to tell: only ${String(mostIds)} sessions and messages of ${String(ids.size)} were followed; ask for less since a later time`);
      terms = [...ids].slice(0, mostIds);
    }
  }

  async #ask(terms: readonly string[]): Promise<void> {
    for (const one of await this.#askNodes({ terms, sinceMs: this.#sinceMs })) {
      if ('complaint' in one) {
        this.#complaints.add(`${one.node} ${one.complaint}`);
        continue;
      }
      const parsed = foundSchema.safeParse(one.answer);
      if (!parsed.success) throw new Failure('bad-input', `${one.node} gave an answer that this program does not understand; is it of another version?`);
      if (parsed.data.keeps === 'nothing') this.#complaints.add(`${one.node} logs to standard output, which is no file: it can't be searched`);
      if (parsed.data.end === 'cut') this.#complaints.add(`${one.node} has more than it may tell at once: ask for less since a later time`);
      for (const line of parsed.data.lines) this.#keep(line);
    }
  }

  #keep(line: string): void {
    try {
      this.#lines.set(line, entrySchema.parse(JSON.parse(line)));
    } catch {
      this.#complaints.add('a log has a line that can\'t be read; it is left out');
    }
  }
}

/** Ids of the session and the message that a line is about. A queue item of another node is `NODE-ID` there. */
function idsOf(entry: Entry): string[] {
  const { session, item, handedOver } = entry;
  const text = (value: unknown): string[] => (typeof value === 'string' && value !== '' ? [value] : []);
  return [...text(session), ...text(item), ...text(handedOver).map((id) => id.slice(id.indexOf('-') + 1))];
}
