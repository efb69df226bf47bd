/** Commands for developers explain themselves, and answer what they can't follow with one line and status 2, before anything starts. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { bigMailboxCommand, accountMoveCommand, figuresCommand, textIndexCommand } from '../../bench/command/plain-commands.ts';
import { proxyCommand } from '../../bench/proxy/command.ts';
import { storeCommand } from '../../bench/store/command.ts';
import { testCommand } from '../../harness/test-command.ts';
import { tortureCommand } from '../../torture/command.ts';
import type { TortureOrder } from '../../torture/command.ts';

const root = join(import.meta.dirname, '..', '..', '..');
let ordered: TortureOrder | undefined;
const torture = (): Command => tortureCommand((order) => { ordered = order; });

interface Told {
  readonly code: number | null;
  readonly said: string;
  readonly complaint: string;
}

/** Throws instead of ending the process, and keeps what it says. */
function listenTo(command: Command, told: { said: string; complaint: string }): void {
  command.exitOverride().configureOutput({ writeOut: (text) => { told.said += text; }, writeErr: (text) => { told.complaint += text; } });
  for (const each of command.commands) listenTo(each, told);
}

/** What a command makes of words; the code is commander's own. */
function tell(command: Command, words: readonly string[]): Told {
  const told = { said: '', complaint: '' };
  listenTo(command, told);
  try {
    command.parse([...words], { from: 'user' });
    return { code: null, ...told };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { code: error.exitCode, ...told };
  }
}

async function run(file: string, words: readonly string[]): Promise<Told> {
  const child = spawn(process.execPath, [join(root, file), ...words], { cwd: root });
  const told = { said: '', complaint: '' };
  child.stdout.on('data', (data: Buffer) => { told.said += data.toString(); });
  child.stderr.on('data', (data: Buffer) => { told.complaint += data.toString(); });
  const code = await new Promise<number | null>((resolve) => { child.once('close', resolve); });
  return { code, ...told };
}

const wrong: readonly (readonly [make: () => Command, words: string, complaint: RegExp])[] = [
  [storeCommand, '--seconds x', /^waybill: option '--seconds <number>' argument 'x' is invalid\. It is a number from 0\.001 on\.\n$/],
  [storeCommand, '--seconds 0', /It is a number from 0\.001 on\.\n$/],
  [storeCommand, '--rounds 0', /It is a whole number from 1 on\.\n$/],
  [storeCommand, '--rounds 1.5', /It is a whole number from 1 on\.\n$/],
  [storeCommand, '--messages 1e9', /It is a whole number from 50 on\.\n$/],
  [storeCommand, '--only fetch,nothing-like-that', /"nothing-like-that" is in none of: .*slow-disk\.\n$/],
  [storeCommand, '--only fetch,', /"" is in none of: /],
  [storeCommand, '--beside /nowhere', /It is a folder with a checkout of Waybill \(it has no waybill\.ts\)\.\n$/],
  [storeCommand, '--connections 1', /^waybill: unknown option '--connections'\n$/],
  [storeCommand, '--secnds 1', /^waybill: unknown option '--secnds' \(Did you mean --seconds\?\)\n$/],
  [storeCommand, '--seconds', /^waybill: option '--seconds <number>' argument missing\n$/],
  [storeCommand, 'fetch', /^waybill: too many arguments.*\n$/],
  [proxyCommand, '--warm -1', /It is a number from 0 on\.\n$/],
  [proxyCommand, '--only nothing-like-that', /is in none of: login-tls, /],
  [proxyCommand, '--sessions many', /It is a whole number from 1 on\.\n$/],
  [textIndexCommand, 'many', /^waybill: command-argument value 'many' is invalid for argument 'messages'\. It is a whole number from 50 on\.\n$/],
  [accountMoveCommand, '200 x', /It is a whole number from 1 on\.\n$/],
  [bigMailboxCommand, '10', /It is a whole number from 5000 on\.\n$/],
  [() => figuresCommand('storage-layout', 'Rows.'), '--jsn', /^waybill: unknown option '--jsn' \(Did you mean --json\?\)\n$/],
  [torture, '--rounds 0', /It is a whole number from 1 on\.\n$/],
  [torture, 'move --rounds none', /It is a whole number from 1 on\.\n$/],
  [torture, 'imap --seed -1', /It is a whole number from 0 on\.\n$/],
  [torture, 'soak few', /It is a whole number from 1 on\.\n$/],
  [torture, 'mov', /^waybill: .*mov.*\n$/],
  [testCommand, '--no-such-option', /^waybill: bad option: --no-such-option\n$/],
];

test('what a command cannot follow it answers with one precise line', () => {
  for (const [make, words, complaint] of wrong) {
    const told = tell(make(), words.split(' '));
    assert.match(told.complaint, complaint, words);
    assert.deepEqual({ lines: told.complaint.split('\n').length, said: told.said, code: told.code }, { lines: 2, said: '', code: 1 }, words);
  }
});

test('what a command can follow it takes', () => {
  const store = storeCommand();
  assert.equal(tell(store, ['--seconds', '.5', '--rounds', '2', '--warm', '1', '--only', 'fetch,slow', '--beside', root, '--json']).complaint, '');
  assert.deepEqual(store.opts(), { seconds: 0.5, rounds: 2, warm: 1, only: ['fetch', 'slow'], beside: root, json: true });
  const moves = accountMoveCommand();
  tell(moves, ['200', '300']);
  assert.deepEqual(moves.processedArgs, [[200, 300]]);
  const tests = testCommand();
  tell(tests, ['imap', '--test-name-pattern=idle']);
  assert.deepEqual(tests.args, ['imap', '--test-name-pattern=idle']);
  for (const [words, order] of [
    ['', { kind: 'storages' }], ['--rounds 5', { kind: 'storages', rounds: 5 }], ['move --seed 7 --rounds 2', { kind: 'move', rounds: 2, seed: 7 }], ['imap', { kind: 'imap' }], ['soak 20', { kind: 'soak', sessions: 20 }],
  ] as const) {
    tell(torture(), words.split(' ').filter((word) => word !== ''));
    assert.deepEqual(ordered, order, words);
  }
});

test('each explains itself, and ends well', () => {
  for (const [make, words, text] of [
    [storeCommand, '--help', /^Usage: npm run bench -- store \[options\]\n[^]*--only <words>[^]*slow-disk/], [proxyCommand, '-h', /--warm <seconds>/], [torture, '--help', /move \[options\][^]*soak \[sessions\]/],
    [torture, 'move --help', /^Usage: npm run torture -- move \[options\]\n[^]*--seed <number>/], [testCommand, '--help', /^Usage: npm test -- [^]*WAYBILL_LONG_TESTS=1/],
  ] as const) {
    const { code, said, complaint } = tell(make(), words.split(' '));
    assert.deepEqual({ code, complaint }, { code: 0, complaint: '' }, words);
    assert.match(said, text);
  }
});

test('the status is 0 for help and 2 for what is wrong, and no stack is shown', async () => {
  const [help, bench, checks, pictures] = await Promise.all([
    run('test/bench/bench.ts', ['store', '--help']), run('test/bench/bench.ts', ['nothing-like-that']), run('shared/bootstrap/check.ts', ['--nothing']), run('test/screenshots/screenshots.ts', ['nothing']),
  ]);
  assert.deepEqual({ code: help.code, complaint: help.complaint }, { code: 0, complaint: '' });
  assert.match(help.said, /^Usage: npm run bench -- store /);
  for (const { code, said, complaint } of [bench, checks, pictures]) {
    assert.deepEqual({ code, said }, { code: 2, said: '' });
    assert.match(complaint, /^waybill: .*noth.*\n$/);
  }
  assert.match(bench.complaint, /Allowed choices are .*store/);
});
