/** A program of the demo: waited for, started again when it dies, stopped within its grace; with small programs as nodes. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Program } from '../../../cluster-config/demo/node-process.ts';

interface Started {
  readonly program: Program;
  readonly folder: string;
  readonly said: string[];
}

/** A program whose text is given; it finds its folder in its first argument. */
async function makeProgram(context: TestContext, text: string): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-program-'));
  const script = join(folder, 'program.mjs');
  await writeFile(script, text);
  const said: string[] = [];
  const program = new Program({ name: 'be1', nodeArguments: [script, folder], logFile: join(folder, 'log'), report: (line) => said.push(line) });
  context.after(async () => {
    program.kill();
    await delay(50);
    await rm(folder, { recursive: true });
  });
  return { program, folder, said };
}

const ready = `
import { appendFileSync } from 'node:fs';
appendFileSync(process.argv[2] + '/starts', process.pid + '\\n');
process.send({ ready: true });
setInterval(() => undefined, 1000);`;

async function starts(folder: string): Promise<readonly number[]> {
  return (await readFile(join(folder, 'starts'), 'utf8')).trim().split('\n').map(Number);
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'it happens within five seconds');
    await delay(20);
  }
}

test('a program that dies is reported, started again and reported again', async (context) => {
  const { program, folder, said } = await makeProgram(context, ready);
  await program.start();
  process.kill((await starts(folder))[0] ?? 0, 'SIGKILL');
  await until(() => said.includes('be1 runs again'));
  assert.match(said[0] ?? '', /be1 ended \(SIGKILL\); it is started again in 0\.5 s/);
  assert.equal((await starts(folder)).length, 2);
  await program.stop(2000);
  await delay(700);
  assert.equal((await starts(folder)).length, 2, 'once stopped it is not started again');
});

test('a program that does not get ready is shown with the end of its log', async (context) => {
  const { program } = await makeProgram(context, 'console.error("the disk is on fire"); process.exit(4);');
  await assert.rejects(program.start(), /be1 could not start \(exit code 4\)[^]*the disk is on fire/);
});

test('a program that does not stop within its grace is ended', async (context) => {
  const { program, folder, said } = await makeProgram(context, `process.on('SIGTERM', () => undefined);${ready.replace('import { appendFileSync }', 'const { appendFileSync }').replace("from 'node:fs'", "= await import('node:fs')")}`);
  await program.start();
  const [pid = 0] = await starts(folder);
  await program.stop(200);
  assert.match(said.join(), /did not stop within 0\.2 s/);
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
