/** The command line of Waybill against a running cluster: run to the end, or watched line by line and killed on the way. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Cluster } from './cluster.ts';
import { programFile } from './program-file.ts';


export interface CommandOutcome {
  /** Null: killed. */
  readonly code: number | null;
  readonly output: string;
  readonly complaint: string;
}

/** `onLine` hears every line of its output, and may kill it. */
export async function runCommand(cluster: Cluster, words: readonly string[], onLine?: (line: string, child: ChildProcess) => void): Promise<CommandOutcome> {
  return runProgram(programFile, [...words, '--config', cluster.configFile], onLine);
}

/** The same for another version of the program. */
export async function runProgram(file: string, words: readonly string[], onLine?: (line: string, child: ChildProcess) => void): Promise<CommandOutcome> {
  const child = spawn(process.execPath, [file, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  let rest = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine?.(line, child);
  });
  child.stderr.on('data', (data: Buffer) => {
    complaint += data.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output, complaint };
}
