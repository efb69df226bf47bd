/** The small node (small-node.ts) as a process of its own, and what its tests see of it. */
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Dialogue } from '../../harness/dialogue.ts';

export interface Told {
  readonly pid: number;
  readonly event: string;
  readonly [key: string]: unknown;
}

/** The node, what it told so far, and a way to wait for more. */
export function startNode(t: TestContext, words: readonly string[] = []) {
  const child = spawn(process.execPath, [new URL('small-node.ts', import.meta.url).pathname, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const told: Told[] = [];
  let wake: () => void = () => undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    told.push(JSON.parse(line) as Told);
    wake();
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.after(() => child.kill('SIGKILL'));
  const until = async (match: (told: Told) => boolean, count = 1): Promise<Told[]> => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = told.filter(match);
      if (found.length >= count) return found;
      assert.ok(Date.now() < deadline, `not told in time; told: ${JSON.stringify(told)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 200);
      });
    }
  };
  /** A session with the echo service, in the worker of the configuration that serves now. */
  const session = async (): Promise<Dialogue> => {
    const dialogue = await Dialogue.connect({ port: Number(told.findLast(({ event }) => event === 'began')?.['port']), tls: 'none' });
    t.after(() => dialogue.close());
    return dialogue;
  };
  return { told, until, ended, session, order: (line: string) => child.stdin.write(`${line}\n`) };
}
