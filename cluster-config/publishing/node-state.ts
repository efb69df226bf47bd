/** Keeps what a node says of its configuration (node-state-schema.ts). */
import { schemaNumber } from '../schema.ts';
import type { Role } from '../schema.ts';
import type { NodeState } from './node-state-schema.ts';

/** Kept by the supervisor. */
export class NodeStateKeeper {
  #state: NodeState;

  constructor(node: string, role: Role, { kind: source, publishes }: { readonly kind: NodeState['source']; readonly publishes: boolean }) {
    const now = new Date().toISOString();
    this.#state = { node, role, source, publishes, schema: schemaNumber, running: { version: '', since: now }, restartFor: [], startedAt: now, phase: 'running' };
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
