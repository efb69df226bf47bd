/** How the commands for developers (`npm run bench`, `torture`, `check` …) read what was typed: `--help` explains, one line says what is wrong, and the status is 2 then. */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

/** @param name what a developer types, as help shows it */
export function developmentCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption('-h, --help', 'show this')
    .configureOutput({ outputError: (text, write) => write(`${text.trimEnd().replace(/^error: /, 'waybill: ').replaceAll('\n', ' ')}\n`) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** Takes whole numbers from `lowest` on. The function throws InvalidArgumentError, as those below do. */
export function wholeNumber(lowest: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < lowest) throw new InvalidArgumentError(`It is a whole number from ${String(lowest)} on.`);
    return value;
  };
}

/** Takes any number from `lowest` on. */
export function numberFrom(lowest: number): (text: string) => number {
  return (text) => {
    const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= lowest)) throw new InvalidArgumentError(`It is a number from ${String(lowest)} on.`);
    return value;
  };
}

/** Takes words between commas, each of which at least one of the names must have in it. */
export function wordsOf(names: readonly string[]): (text: string) => readonly string[] {
  return (text) => {
    const words = text.split(',');
    const unknown = words.find((word) => word === '' || !names.some((name) => name.includes(word)));
    if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is in none of: ${names.join(', ')}.`);
    return words;
  };
}

/** Takes the folder of another checkout of Waybill; answers it as it was typed. */
export function checkoutFolder(text: string): string {
  if (statSync(join(resolve(text), 'waybill.ts'), { throwIfNoEntry: false }) === undefined) throw new InvalidArgumentError('It is a folder with a checkout of Waybill (it has no waybill.ts).');
  return text;
}
