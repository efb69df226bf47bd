/** `npm run torture -- move [--rounds N] [--seed N]`: that many moves in use, most with something killed at a named step. */
import { Dice } from '../dice.ts';
import { MoveTorture, steps, victims } from './move-torture.ts';
import type { Torment } from './move-torture.ts';

const usualRounds = 300;
/** Moves between two comparisons. */
const roundsAtOnce = 15;
const users = ['alice', 'bob'] as const;

export async function tortureMoves(given: { readonly rounds: number | undefined; readonly seed: number }, say: (text: string) => void): Promise<void> {
  const { seed, rounds = usualRounds } = given;
  const dice = new Dice(seed);
  say(`seed ${String(seed)}, ${String(rounds)} rounds`);
  const beganAtMs = Date.now();
  const torture = await MoveTorture.start(users, dice);
  for (let done = 0; done < rounds; done += roundsAtOnce) {
    await torture.rounds(Array.from({ length: Math.min(roundsAtOnce, rounds - done) }, () => pickTorment(dice))).catch((error: unknown) => {
      throw new Error(`seed ${String(seed)}; the nodes are stopped with this program, their files are left in ${torture.cluster.folder}`, { cause: error });
    });
    say(`${String(Math.min(rounds, done + roundsAtOnce))} rounds, ${String(Math.round((Date.now() - beganAtMs) / 1000))} s: ${JSON.stringify(torture.sums)}`);
  }
  await torture.stop();
  const { moves, kills, changes, disturbed, deliveries, popRemoved, latestMs } = torture.sums;
  say(`${String(moves)} moves, ${String(kills)} kills; ${String(changes)} changes by IMAP acknowledged (${String(disturbed)} times disturbed), ${String(deliveries)} messages by SMTP, ${String(popRemoved)} deleted by POP3; the latest message came ${String(latestMs)} ms after the end of the work: nothing lost, nothing twice`);
}

/** One in four moves is left alone. */
function pickTorment(dice: Dice): Torment | undefined {
  return dice.oneIn(4) ? undefined : { step: dice.pick(steps), victim: dice.pick(victims) };
}
