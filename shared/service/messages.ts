/** What a supervisor and its worker processes tell each other over their IPC channel. */
import type { Snapshot } from '../metrics/snapshot.ts';
import type { Notice } from './notices.ts';
import type { ChangeHint } from './service.ts';
import type { ServiceOrder } from './service-wishes.ts';
import type { SignOfLife } from './signs-of-life.ts';

/** From the supervisor to a worker. */
export type Order =
  /** `slot`: no two living workers of a node share one. `configuration`: the text the supervisor checked, so that all run the same. `stopped`: services that are not to run. */
  | { readonly kind: 'start'; readonly slot: number; readonly configuration: string; readonly stopped: readonly string[] }
  | ({ readonly kind: 'service' } & ServiceOrder) // an administrator wants a service started or stopped
  | { readonly kind: 'hints'; readonly hints: readonly ChangeHint[] }
  | { readonly kind: 'appoint' } // from now on this worker does the work that exists once per node
  /** Accept nothing more, give the once-per-node work back, and leave when the last session has ended, or as `stop` after `patienceMs`. */
  | { readonly kind: 'retire'; readonly patienceMs: number; readonly graceMs: number }
  | { readonly kind: 'renew'; readonly configuration: string } // read the certificates for clients again; the parameters are as before
  | { readonly kind: 'superseded'; readonly configuration: string } // workers with this configuration have come: what of it can hold for sessions that go on does, from now on
  /** Drain and leave. */
  | { readonly kind: 'stop'; readonly graceMs: number }
  /** Another worker asks (see siblings.ts); `asker` is for the way back. */
  | { readonly kind: 'ask'; readonly asker: number; readonly round: number; readonly topic: string; readonly question: unknown }
  | { readonly kind: 'asked'; readonly round: number; readonly others: readonly number[] | number } // your question went to these slots; so many, says a supervisor that an older version of the program started
  | { readonly kind: 'answer'; readonly round: number; readonly slot?: number; readonly answer: unknown }
  | { readonly kind: 'gone'; readonly slot: number } // that worker has ended, and answers nothing more
  /** Posted by other workers (see notices.ts). */
  | { readonly kind: 'notices'; readonly topic: string; readonly notices: readonly Notice[] }
  | { readonly kind: 'give-sign' } // of life
  | { readonly kind: 'measure'; readonly round: number } // tell what you have counted
  | { readonly kind: 'measurements'; readonly question: number; readonly counted: Snapshot }; // of the whole node, to whom it wanted to know

/** From a worker to the supervisor. */
export type Report =
  | { readonly kind: 'awake' } // loaded, waits for `start`
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'service' } & ServiceOrder)
  | { readonly kind: 'failed'; readonly text: string } // could not start; nothing to gain from trying at once
  | { readonly kind: 'resigned' } // does no work any more that exists once per node; another may
  | { readonly kind: 'hints'; readonly hints: readonly ChangeHint[] }
  | { readonly kind: 'ask'; readonly round: number; readonly topic: string; readonly question: unknown }
  | { readonly kind: 'post'; readonly topic: string; readonly key: string; readonly value: unknown }
  | { readonly kind: 'subscribe'; readonly topic: string } // to what is posted, and what is kept of it
  | { readonly kind: 'answer'; readonly asker: number; readonly round: number; readonly answer: unknown }
  | { readonly kind: 'measured'; readonly round: number; readonly counted: Snapshot } // by this worker since it began; round 0: its last word
  | { readonly kind: 'sign'; readonly sign: SignOfLife }
  | { readonly kind: 'how-much'; readonly question: number }; // has the whole node counted?

const kinds: ReadonlySet<string> = new Set(['start', 'service', 'hints', 'appoint', 'renew', 'retire', 'superseded', 'stop', 'awake', 'ready', 'resigned', 'failed', 'ask', 'asked', 'answer', 'gone', 'post', 'subscribe', 'notices', 'give-sign', 'sign', 'measure', 'measured', 'measurements', 'how-much']);

/** True for a message of ours; the channel carries the cluster module's own as well. */
export function isMessage(value: unknown): value is Order | Report {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string' && kinds.has(value.kind);
}
