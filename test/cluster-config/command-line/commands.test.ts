/** The command line as a stranger uses it: help, exit codes, errors without stacks, secrets never shown. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { parse } from 'yaml';
import { sample, sampleWith } from '../sample.ts';
import { programFile } from '../../harness/program-file.ts';


interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly said: string;
}

async function waybill(...parameters: readonly string[]): Promise<Outcome> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [programFile, ...parameters], { timeout: 60_000 }, (error, output, said) => {
      resolve({ code: error === null ? 0 : Number(error.code), output, said });
    });
  });
}

async function fileWith(context: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-command-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  const file = join(folder, 'waybill.yaml');
  await writeFile(file, text);
  await writeFile(join(folder, 'reader'), 'the-secret\n');
  return file;
}

test('every command explains itself with an example', async () => {
  const commands = [[], ['demo'], ['directory'], ['frontend'], ['backend'], ['config', 'check'], ['config', 'show'], ['config', 'reference'], ['map', 'show'], ['passwd']];
  const outcomes = await Promise.all(commands.map(async (command) => await waybill(...command, '--help')));
  for (const [index, outcome] of outcomes.entries()) {
    assert.equal(outcome.code, 0);
    assert.match(outcome.output, /Usage: waybill/);
    assert.match(outcome.output, /Examples?:\n +\$ waybill/, `help of ${commands[index]?.join(' ') ?? ''}`);
  }
});

test('config check tells good from bad by words and exit code, without a stack', async (context) => {
  const good = await waybill('config', 'check', await fileWith(context, sample));
  assert.equal(good.code, 0);
  assert.match(good.output, /is good: cluster "sample".*fe1 \(frontend\), be1 \(backend\)/);
  const bad = await waybill('config', 'check', await fileWith(context, sampleWith('maxErrors: 5', 'maxErors: 5')));
  assert.equal(bad.code, 1);
  assert.match(bad.said, /waybill\.yaml:32:9: .*nearest known one is "maxErrors"/);
  assert.doesNotMatch(bad.said, /^\s+at /m);
  assert.equal((await waybill('config', 'check', '/nowhere.yaml')).code, 1);
});

test('a reader that has seen enough ends a command without a word', async () => {
  const { code, output, said } = await new Promise<Outcome>((resolve) => {
    execFile('bash', ['-c', '"$0" "$1" config reference | head -n 1; exit "${PIPESTATUS[0]}"', process.execPath, programFile], { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout, said: stderr });
    });
  });
  assert.deepEqual([code, said], [141, '']);
  assert.match(output, /^# /);
});

test('config show lays all layers together and shows no secret', async (context) => {
  const file = await fileWith(context, sampleWith('secrets/reader', 'reader'));
  const all = await waybill('config', 'show', file);
  const shown = parse(all.output) as Readonly<Record<string, { drainSeconds: number; ldapConnectors: readonly { bindPassword: object }[] }>>;
  assert.deepEqual(Object.keys(shown), ['fe1', 'be1']);
  assert.equal(shown['be1']?.drainSeconds, 30);
  assert.deepEqual(Object.keys(shown['be1']?.ldapConnectors[0]?.bindPassword ?? {}), ['file']);
  assert.doesNotMatch(all.output, /the-secret/);
  const one = await waybill('config', 'show', file, '--node', 'fe1', '--json');
  assert.deepEqual(Object.keys(JSON.parse(one.output) as object), ['fe1']);
  const none = await waybill('config', 'show', file, '--node', 'fe9');
  assert.match(none.said, /no node "fe9"; there are: fe1, be1/);
});

test('wrong options are told in a line', async () => {
  const base = await waybill('demo', '--port-base', '20000');
  assert.equal(base.code, 1);
  assert.match(base.said, /--port-base must be a whole number from 1024 to 10700/);
  assert.match((await waybill('frontent')).said, /Did you mean frontend\?/);
  assert.equal((await waybill('frontend')).code, 1);
});
