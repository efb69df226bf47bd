/** Programs that people use, run by tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProgramResult {
  readonly code: number | null;
  /** As latin1, so that every byte is there. */
  readonly output: string;
  readonly complaint: string;
}

/** Runs a program to its end, 20 seconds at most. */
export async function run(program: string, words: readonly string[], input: Buffer | string = ''): Promise<ProgramResult> {
  const child = spawn(program, words, { timeout: 60_000, killSignal: 'SIGKILL' });
  const [output, complaint]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => complaint.push(data));
  child.stdin.on('error', () => undefined); // not every program reads its input
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: Buffer.concat(output).toString('latin1'), complaint: Buffer.concat(complaint).toString('latin1') };
}
