/** What a node says of its configuration: which version it runs since when, what it refused and why, what waits for a restart. */
import { z } from 'zod';
import { schemaNumber } from '../schema.ts';
import type { Role } from '../schema.ts';

export const nodeStateSchema = z.object({
  node: z.string(),
  role: z.string(),
  /** The number of the schema that this program reads. */
  schema: z.number(),
  source: z.enum(['file', 'directory']),
  running: z.object({ number: z.number().optional(), version: z.string(), since: z.string() }),
  /** Found good here, and being put to use: its workers start. */
  taking: z.object({ number: z.number().optional(), version: z.string(), since: z.string() }).optional(),
  /** Since when the running version was being put to use. */
  begun: z.string().optional(),
  refused: z.object({ number: z.number().optional(), why: z.string(), at: z.string() }).optional(),
  /** Paths of parameters that still have the value of the last start. */
  restartFor: z.array(z.string()),
  /** Why the directory can't be read. */
  directory: z.string().optional(),
  startedAt: z.string(),
  phase: z.enum(['running', 'restarting']),
});

export type NodeState = z.output<typeof nodeStateSchema>;

/** Kept by the supervisor. */
export class NodeStateKeeper {
  #state: NodeState;

  constructor(node: string, role: Role, source: NodeState['source']) {
    const now = new Date().toISOString();
    this.#state = { node, role, source, schema: schemaNumber, running: { version: '', since: now }, restartFor: [], startedAt: now, phase: 'running' };
  }

  get current(): NodeState {
    return this.#state;
  }

  takes({ number, version }: { readonly number: number | undefined; readonly version: string }): void {
    this.#state = { ...this.#state, taking: { ...(number === undefined ? {} : { number }), version, since: new Date().toISOString() } };
  }

  /** What was to be put to use could not be. */
  keeps(): void {
    this.#state = { ...this.#state, taking: undefined };
  }

  /** All of its workers run it now. */
  runs(running: { readonly number: number | undefined; readonly version: string }, restartFor: readonly string[]): void {
    const { refused, taking } = this.#state;
    const { number, version } = running;
    // What was refused before is of interest only while it is the newer one.
    const isStillRefused = refused?.number !== undefined && number !== undefined && refused.number > number;
    this.#state = {
      ...this.#state, running: { ...(number === undefined ? {} : { number }), version, since: new Date().toISOString() },
      begun: taking?.since, taking: undefined, restartFor: [...restartFor], refused: isStillRefused ? refused : undefined,
    };
  }

  refuses({ number, why }: { readonly number: number | undefined; readonly why: string }): void {
    this.#state = { ...this.#state, refused: { ...(number === undefined ? {} : { number }), why, at: new Date().toISOString() } };
  }

  /** In a file the mistake was taken back. */
  refusesNothing(): void {
    this.#state = { ...this.#state, refused: undefined };
  }

  hearsOfDirectory(trouble: string | undefined): void {
    this.#state = { ...this.#state, directory: trouble };
  }

  restarts(): void {
    this.#state = { ...this.#state, phase: 'restarting' };
  }

  started(): void {
    this.#state = { ...this.#state, phase: 'running', startedAt: new Date().toISOString() };
  }
}
