/**
 * A process as a worker is, without a node: it lets V8's young generation grow, and watches for rest. It prints JSON lines: how large the young generation
 * was when the work had made it grow, at its least while it went on working, and when the process was at rest.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { watchRest } from '../../../shared/service/memory-at-rest.ts';

const mebibyte = 1024 * 1024;
const lookMs = 50;
const looksWhileWorking = 10;
const givenUpMs = 30_000;

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.physical_space_size ?? 0;
}

/** Objects that live for a while: the young generation grows when much of it is still in use. */
const recent: object[][] = [];

function work(): void {
  recent.push(Array.from({ length: 5000 }, (_, index) => ({ text: `${String(index)} of ${String(recent.length)}`, more: [index] })));
  if (recent.length > 60) recent.shift();
}

while (youngBytes() < 40 * mebibyte) work();
const grown = youngBytes();
watchRest({ lookMs });
let least = grown;
for (const end = performance.now() + looksWhileWorking * lookMs; performance.now() < end;) {
  for (const pause = performance.now() + lookMs / 2; performance.now() < pause;) work();
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  least = Math.min(least, youngBytes()); // collections end between two turns
}
for (const end = performance.now() + givenUpMs; youngBytes() > 17 * mebibyte && performance.now() < end;) await sleep(lookMs);
process.stdout.write(`${JSON.stringify({ grown, least, atRest: youngBytes() })}\n`);
