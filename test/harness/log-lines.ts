/** Waiting for what a node of a running cluster logs: its lines come a moment after the deed. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';

export interface Wanted {
  /** All of them in one line. */
  readonly words: readonly string[];
  /** A length of the log before which nothing counts. */
  readonly from?: number;
  readonly patienceMs?: number;
}

/** The first line of a node's log with all these words, waited for. */
export async function logLine(cluster: Cluster, node: Parameters<Cluster['log']>[0], wanted: readonly string[] | Wanted): Promise<string> {
  return lineIn({ name: node, read: () => cluster.log(node) }, wanted);
}

/** The same in any log. */
export async function lineIn(log: { readonly name: string; readonly read: () => string }, wanted: readonly string[] | Wanted): Promise<string> {
  const { words, from = 0, patienceMs = 15_000 }: Wanted = 'words' in wanted ? wanted : { words: wanted };
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const lines = log.read().slice(from).split('\n');
    const found = lines.find((line) => words.every((word) => line.includes(word)));
    if (found !== undefined) return found;
    assert.ok(Date.now() < deadline, `${log.name} did not log ${words.join(' … ')}:\n${lines.slice(-20).join('\n')}`);
    await sleep(50);
  }
}
