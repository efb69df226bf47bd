/** docs/administration.md names commands: each of them exists, and every command about domains, accounts and groups is named. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../cluster-config/command-line/program.ts';

const text = fs.readFileSync(path.resolve(import.meta.dirname, '..', '..', 'docs', 'administration.md'), 'utf8');
const nothing = async (): Promise<never> => Promise.reject(new Error('not run here'));
const program = createProgram({ frontend: nothing, backend: nothing, offlineStorage: nothing });

/** `account alias add` and so on: what can be run. */
function runnable(command: Command, before: readonly string[] = []): string[] {
  return command.commands.flatMap((one) => (one.commands.length === 0 ? [[...before, one.name()].join(' ')] : runnable(one, [...before, one.name()])));
}

const known = runnable(program);
const named = [...text.matchAll(/`waybill ([a-z][^`]*)`/g)].map(([, words = '']) => words);

test('each command that the page names exists, with the options that it shows', () => {
  assert.ok(named.length > 40);
  for (const words of named) {
    const name = known.find((one) => words === one || words.startsWith(`${one} `));
    assert.ok(name !== undefined, `waybill ${words}: no such command`);
    const command = name.split(' ').reduce<Command | undefined>((at, word) => at?.commands.find((one) => one.name() === word), program);
    for (const [option] of words.matchAll(/--[a-z-]+/g)) assert.ok(command?.options.some(({ long }) => long === option), `waybill ${words}: no option ${option}`);
  }
});

test('every command about domains, accounts and groups is in the table of what replaces the manual\'s', () => {
  const table = text.slice(text.indexOf('| manual | here |'));
  for (const name of known.filter((one) => /^(?:domain|account|group) /.test(one))) assert.ok(table.includes(`\`waybill ${name}\``), `waybill ${name} is not in the table`);
});
