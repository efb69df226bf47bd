/** Every command of the command line with what it does not take: a line that says what is wrong, exit code 1, and nothing done. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../../cluster-config/command-line/program.ts';
import type { CommandOutcome } from '../../harness/command.ts';
import { CommandRunner } from '../../harness/command-runner.ts';

const nowhere = '/nowhere/waybill.yaml';
/** These run until they are told to end; `demo` and `config reference` need nothing that could be missing. */
const apart = new Set(['demo', 'frontend', 'backend', 'config reference']);

interface Leaf {
  readonly words: readonly string[];
  readonly command: Command;
}

const runner = new CommandRunner();
after(() => runner.stop());

function leavesOf(command: Command, words: readonly string[]): Leaf[] {
  const inner = command.commands.flatMap((each) => leavesOf(each, [...words, each.name()]));
  // `report` and `trace` do something themselves and have commands below them.
  return inner.length === 0 || command.registeredArguments.length > 0 ? [{ words, command }, ...inner] : inner;
}

const nothing = async (): Promise<never> => Promise.reject(new Error('is not run here'));
const leaves = leavesOf(createProgram({ frontend: nothing, backend: nothing, offlineStorage: nothing }), []).filter(({ words }) => !apart.has(words.join(' ')));

/** Something for every argument and option that must be given. */
function filled({ words, command }: Leaf): string[] {
  const given = command.registeredArguments.filter(({ required }) => required).map((argument) => (argument.name() === 'file' ? nowhere : argument.argChoices?.[0] ?? 'alice@example.com'));
  const must = command.options.filter(({ mandatory }) => mandatory).flatMap(({ long, argChoices }) => [long ?? '', long === '--config' ? nowhere : argChoices?.[0] ?? '1']);
  const config = command.options.some(({ long, mandatory }) => long === '--config' && !mandatory) ? ['--config', nowhere] : [];
  return [...words, ...given, ...must, ...config];
}

function assertRefused(words: readonly string[], { code, output, complaint }: CommandOutcome): void {
  const told = `${words.join(' ')}: ${output}${complaint}`;
  assert.equal(code, 1, told);
  assert.equal(output, '', told);
  assert.notEqual(complaint.trim(), '', told);
  assert.doesNotMatch(complaint, /^\s+at |TypeError|undefined|\[object/m, told);
}

test('there are many of them', () => {
  assert.ok(leaves.length > 60, leaves.map(({ words }) => words.join(' ')).join(', '));
});

test('an option that does not exist is named', async () => {
  for (const leaf of leaves) {
    const words = [...filled(leaf), '--no-such-option'];
    const outcome = await runner.run(words);
    assertRefused(words, outcome);
    assert.match(outcome.complaint, /--no-such-option/);
  }
});

test('an argument or option that must be given is missed by its name', async () => {
  for (const { words, command } of leaves) {
    const needed = [...command.registeredArguments.filter(({ required }) => required).map((argument) => argument.name()), ...command.options.flatMap(({ long, mandatory }) => (mandatory ? long ?? [] : []))];
    if (needed.length === 0) continue;
    const outcome = await runner.run(words);
    assertRefused(words, outcome);
    assert.ok(needed.some((name) => outcome.complaint.includes(name)), `${words.join(' ')}: ${outcome.complaint}`);
  }
});

test('one word too many is refused', async () => {
  for (const leaf of leaves.filter(({ command }) => !command.registeredArguments.some(({ variadic }) => variadic))) {
    const words = [...filled(leaf), ...leaf.command.registeredArguments.filter(({ required }) => !required).map(() => 'show'), 'one-word-too-many'];
    assertRefused(words, await runner.run(words));
  }
});

test('a configuration that can\'t be read is named, and nothing is done without it', async () => {
  for (const leaf of leaves) {
    const words = filled(leaf);
    if (!words.includes(nowhere)) continue;
    const outcome = await runner.run(words);
    assertRefused(words, outcome);
    // Or what is missing beside it, or is none of the words that may stand there.
    assert.match(outcome.complaint, /\/nowhere\/waybill\.yaml|: (?:say|name) |; there are |--role is frontend or backend/, words.join(' '));
  }
});
