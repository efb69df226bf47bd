/** The life of a node's processes, seen from outside: real forks of a node that does nothing else. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

interface Told {
  readonly pid: number;
  readonly event: string;
  readonly [key: string]: unknown;
}

/** The node, what it told so far, and a way to wait for more. */
function startNode(t: TestContext) {
  const child = spawn(process.execPath, [new URL('small-node.ts', import.meta.url).pathname], { stdio: ['pipe', 'pipe', 'inherit'] });
  const told: Told[] = [];
  let wake: () => void = () => undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    told.push(JSON.parse(line) as Told);
    wake();
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.after(() => child.kill('SIGKILL'));
  const until = async (match: (told: Told) => boolean, count = 1): Promise<Told[]> => {
    const deadline = Date.now() + 10_000;
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
  return { until, ended, order: (line: string) => child.stdin.write(`${line}\n`) };
}

test('a node starts its workers, appoints one of them, carries hints to all, and stops clean', async (t) => {
  const node = startNode(t);
  const began = await node.until(({ event }) => event === 'began', 2);
  assert.deepEqual(began.map(({ slot }) => slot).sort(), [0, 1]);
  await node.until(({ event }) => event === 'appointed');
  const heard = await node.until(({ event }) => event === 'heard', 4);
  assert.equal(new Set(heard.map(({ pid, hint }) => `${String(pid)} ${JSON.stringify(hint)}`)).size, 4, 'each of two workers hears of both hints');
  node.order('stop');
  assert.equal(await node.ended, 0);
  assert.equal((await node.until(({ event }) => event === 'closed', 2)).length, 2);
});

test('a killed worker is replaced under its own number, and its once-per-node work passes to a living one', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'started');
  const [appointed] = await node.until(({ event }) => event === 'appointed');
  process.kill(appointed?.pid ?? 0, 'SIGKILL');
  const after = await node.until(({ event }) => event === 'appointed', 2);
  assert.notEqual(after[1]?.pid, appointed?.pid);
  const began = await node.until(({ event }) => event === 'began', 3);
  assert.deepEqual(began.map(({ slot }) => slot).sort().length, 3);
  assert.equal(new Set(began.slice(0, 2).map(({ slot }) => slot)).has(began[2]?.['slot']), true);
  node.order('stop');
  assert.equal(await node.ended, 0);
});

test('a new configuration gets new workers while the old ones leave; one that can not start changes nothing', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'started');
  node.order('bad');
  const [refused] = await node.until(({ event }) => event === 'refused');
  assert.match(String(refused?.['error']), /that is bad/);
  node.order('second');
  await node.until(({ event }) => event === 'reloaded');
  const began = await node.until(({ event, configuration }) => event === 'began' && configuration === 'second', 2);
  const closed = await node.until(({ event, configuration }) => event === 'closed' && configuration === 'first', 2);
  assert.ok(began.every(({ pid }) => !closed.some((other) => other.pid === pid)));
  await node.until(({ event, configuration }) => event === 'appointed' && configuration === 'second');
  node.order('stop');
  assert.equal(await node.ended, 0);
});
