/**
 * Commits many changes at once, again and again: `node crowded-process.ts <path> <seed> <commits>`. The keys and sizes are such that LMDB's list of
 * free pages grows and shrinks as it does under many writers. Prints how many changes were told to be done, and what those heard that were refused.
 */
import { openEnvironment } from '../../../backend/storage/environment.ts';

const [, , path = '', seedText = '', commits = ''] = process.argv;
const seed = Number(seedText);
let state = Math.imul(seed, 2654435761) >>> 0;

/** A whole number from 0 to below `limit`; the same ones for the same seed. */
function below(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const names = ['mail', 'users', 'ids', 'marks', 'count'] as const;
const environment = openEnvironment(path, names);
const [mail, users, ids, marks, count] = names.map((name) => environment.table(name));
if (!mail || !users || !ids || !marks || !count) throw new Error('no tables');

function countUp(): void {
  const before = count?.get([seed])?.readUInt32LE() ?? 0;
  const after = Buffer.alloc(4);
  after.writeUInt32LE(before + 1);
  count?.put([seed], after);
}

async function change(turn: number): Promise<void> {
  const [user, id, mark, size] = [below(200), below(1e9), below(50), below(300)];
  const markSize = below(4) === 0 ? 3000 : 60;
  return environment.write(() => {
    mail?.put([user, turn, seed], Buffer.alloc(200 + size));
    users?.put([user], Buffer.alloc(100));
    ids?.put([id], Buffer.alloc(40));
    marks?.put([user, mark], Buffer.alloc(markSize));
    countUp();
  });
}

let done = 0;
const refused: string[] = [];
for (let turn = 0; turn < Number(commits); turn += 1) {
  const outcomes = await Promise.allSettled(Array.from({ length: 36 + below(4) }, async () => change(turn)));
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') done += 1;
    else refused.push(String(outcome.reason));
  }
}
await environment.close();
process.stdout.write(`${JSON.stringify({ done, refused })}\n`);
