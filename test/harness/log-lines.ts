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

/** The first line with all these words, waited for. */
export async function logLine(cluster: Cluster, node: Parameters<Cluster['log']>[0], wanted: readonly string[] | Wanted): Promise<string> {
  const { words, from = 0, patienceMs = 5000 }: Wanted = 'words' in wanted ? wanted : { words: wanted };
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const lines = cluster.log(node).slice(from).split('\n');
    const found = lines.find((line) => words.every((word) => line.includes(word)));
    if (found !== undefined) return found;
    assert.ok(Date.now() < deadline, `${node} did not log ${words.join(' … ')}:\n${lines.slice(-20).join('\n')}`);
    await sleep(50);
  }
}
