/**
 * Runs commands of the command line one after the other in one process, for tests that need many: what starting a process for each
 * costs is spared. A line of standard input is a JSON list of words; a line of output is the outcome. `CommandRunner` starts and asks it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as readline from 'node:readline';
import type { Command } from 'commander';
import { createProgram } from '../../cluster-config/command-line/program.ts';
import type { CommandOutcome } from './command.ts';
import { testProcess } from './program-file.ts';

export class CommandRunner {
  readonly #child: ChildProcess;
  readonly #waiting: PromiseWithResolvers<CommandOutcome>[] = [];

  /** @param configFile given to every command as `--config` */
  constructor(configFile?: string) {
    this.#child = spawn(process.execPath, [testProcess('harness/command-runner'), ...(configFile === undefined ? [] : [configFile])], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.#child.stdout === null) throw new Error('no output');
    readline.createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(JSON.parse(line) as CommandOutcome));
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting) reject(new Error('the runner of commands is gone'));
    });
  }

  async run(words: readonly string[]): Promise<CommandOutcome> {
    const outcome = Promise.withResolvers<CommandOutcome>();
    this.#waiting.push(outcome);
    this.#child.stdin?.write(`${JSON.stringify(words)}\n`);
    return outcome.promise;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

async function runOne(words: readonly string[]): Promise<CommandOutcome> {
  const written = { output: '', complaint: '' };
  const [toOutput, toComplaint] = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)];
  process.stdout.write = (text: string | Uint8Array): boolean => { written.output += String(text); return true; };
  process.stderr.write = (text: string | Uint8Array): boolean => { written.complaint += String(text); return true; };
  process.exitCode = 0;
  try {
    const program = createProgram({ frontend: neverHere, backend: neverHere, offlineStorage: neverHere });
    letThrow(program);
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    written.complaint += `waybill: ${error instanceof Error ? error.message : String(error)}\n`; // as waybill.ts tells it
    process.exitCode = 1;
  } finally {
    process.stdout.write = toOutput;
    process.stderr.write = toComplaint;
  }
  return { code: Number(process.exitCode), ...written };
}

async function neverHere(): Promise<never> {
  return Promise.reject(new Error('nodes are processes of their own'));
}

/** Instead of ending the process. */
function letThrow(command: Command): void {
  command.exitOverride();
  for (const each of command.commands) letThrow(each);
}

if (import.meta.main) {
  const [, , configFile] = process.argv;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const outcome = await runOne([...(JSON.parse(line) as string[]), ...(configFile === undefined ? [] : ['--config', configFile])]);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
}
