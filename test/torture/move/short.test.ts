/** The short form of `npm run torture -- move`: every victim once, at steps that chance picks. The seed is printed. */
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { Dice } from '../dice.ts';
import { MoveTorture, steps, victims } from './move-torture.ts';

test('accounts move among three nodes in use while nodes, workers and the command are killed on the way: nothing acknowledged is lost, nothing is there twice', { timeout: 230_000 }, async (t) => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${String(seed)}`);
  const dice = new Dice(seed);
  const torture = await MoveTorture.start(['alice', 'bob'], dice);
  t.after(async () => torture.stop());
  await torture.rounds([undefined, ...victims.map((victim) => ({ victim, step: dice.pick(steps) }))]);
  t.diagnostic(JSON.stringify(torture.sums));
});
