/** Programs that people use, run by tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProgramResult {
  readonly code: number | null;
  /** As latin1, so that every byte is there. */
  readonly output: string;
  readonly complaint: string;
}

/** For a machine that has much else to do. */
const longestMs = 120_000;

/** Runs a program to its end. @throws when that does not come in time */
export async function run(program: string, words: readonly string[], input: Buffer | string = ''): Promise<ProgramResult> {
  const child = spawn(program, words, { timeout: longestMs, killSignal: 'SIGKILL' });
  const [output, complaint]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => complaint.push(data));
  child.stdin.on('error', () => undefined); // not every program reads its input
  child.stdin.end(input);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (signal === 'SIGKILL') throw new Error(`${program} ${words.join(' ')} was killed, or did not end within ${String(longestMs / 1000)} s: ${Buffer.concat(complaint).toString('latin1')}`);
  return { code, output: Buffer.concat(output).toString('latin1'), complaint: Buffer.concat(complaint).toString('latin1') };
}
