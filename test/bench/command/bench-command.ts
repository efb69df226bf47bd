/** What the benches that measure cell by cell can be told. */
import type { Command } from 'commander';
import { checkoutFolder, developmentCommand, numberFrom, wholeNumber, wordsOf } from '../../../shared/bootstrap/development-command.ts';

export interface BenchWords {
  readonly seconds?: number;
  readonly rounds?: number;
  /** Words, one of which the name of a cell must have in it. */
  readonly only?: readonly string[];
  readonly short?: true;
}

/** Of benches beside other servers. */
export interface ComparingWords extends BenchWords {
  readonly sessions?: number;
  readonly warm?: number;
  readonly beside?: string;
  readonly json?: true;
}

/** A measurement that lasts no time has nothing to tell. */
const leastSeconds = 0.001;

/** @param cells the names that `--only` chooses from */
export function benchCommand(name: string, description: string, cells: readonly string[]): Command {
  return developmentCommand(`npm run bench -- ${name}`, description)
    .option('--seconds <number>', 'how long each measurement lasts', numberFrom(leastSeconds))
    .option('--rounds <number>', 'how often each cell is measured', wholeNumber(1))
    .option('--only <words>', `only cells with one of these words, between commas, in their names: ${cells.join('; ')}`, wordsOf(cells))
    .option('--short', 'only show that it works');
}

/** The same for a bench of our servers beside others. */
export function comparingCommand(name: string, description: string, cells: readonly string[]): Command {
  return benchCommand(name, description, cells)
    .option('--sessions <number>', 'idle sessions whose memory is measured', wholeNumber(1))
    .option('--warm <seconds>', 'unmeasured work for each server before the first round of a cell', numberFrom(0))
    .option('--beside <folder>', 'measure another checkout of Waybill as well', checkoutFolder)
    .option('--json', 'print JSON instead of a table');
}

export function isWanted(name: string, { only }: Pick<BenchWords, 'only'>): boolean {
  return only === undefined || only.some((word) => name.includes(word));
}
