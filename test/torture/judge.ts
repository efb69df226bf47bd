/** Compares storages with ledgers in a process of its own, since one whose index is rubbish may take down who opens it. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { testProcess } from '../harness/program-file.ts';
import type { LedgerLine } from './actions.ts';
import type { QueueLine } from './queue-worker.ts';

/** A storage, or a node's mail and queue, and the ledger that it has to stand up to. */
export type Case =
  | { readonly of: 'mail'; readonly directory: string; readonly lines: readonly LedgerLine[] }
  | { readonly of: 'queue'; readonly directory: string; readonly lines: readonly QueueLine[] };

export interface Verdict {
  readonly loss: string | null;
}

export class Judge {
  #process: ChildProcess | undefined;

  /** What is wrong with the storage, or undefined. */
  async judge(one: Case): Promise<string | undefined> {
    const child = (this.#process ??= fork(testProcess('torture/judge-process'), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }));
    const over = new AbortController();
    try {
      const answer = once(child, 'message', { signal: over.signal }).then(([verdict]) => (verdict as Verdict).loss ?? undefined);
      const death = once(child, 'exit', { signal: over.signal }).then(([code, signal]) => `the process that opened it died: ${String(signal ?? code)}`);
      child.send(one);
      const outcome = await Promise.race([answer.catch(() => death), death.catch(() => answer)]);
      if (child.exitCode !== null || child.signalCode !== null) this.#process = undefined;
      return outcome;
    } finally {
      over.abort();
    }
  }

  async close(): Promise<void> {
    if (this.#process === undefined) return;
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    await exit;
  }
}
