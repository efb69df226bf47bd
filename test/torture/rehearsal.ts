/** Which of a compaction's calls belong to the commit that names the copies: told by the trace of one that nobody disturbs. */
import { flushesOfPacks } from '../harness/strace-calls.ts';
import { isHeaderWrite } from './steps.ts';
import type { Step } from './steps.ts';

interface Call {
  readonly name: string;
  readonly text: string;
}

function callsIn(trace: string): readonly Call[] {
  return [...trace.matchAll(/^\d+ +(\w+)\(.*$/gmu)].map(([text, name = '']) => ({ text, name }));
}

function isOfIndex({ text }: Call): boolean {
  return text.includes('/data.mdb>');
}

/** Where records are first settled: packs that are made before are entered in the index by commits of their own. -1 when none are. */
function settledAt(trace: string, calls: readonly Call[]): number {
  const flushesPack = flushesOfPacks(trace);
  return calls.findIndex(({ text }) => flushesPack(text));
}

/** The number of the call that the step means, among those of its name; undefined when it did not come. */
export function countIn(trace: string, step: Step): number | undefined {
  const calls = callsIn(trace);
  const settled = settledAt(trace, calls);
  const wantsHeader = step.calls === 'pwrite64';
  const at = calls.findIndex((call, index) => settled !== -1 && index > settled && isOfIndex(call) && step.calls.split(',').includes(call.name) && (!wantsHeader || isHeaderWrite(call.text)));
  const name = calls[at]?.name;
  return name === undefined ? undefined : calls.slice(0, at + 1).filter((call) => call.name === name).length;
}

/** Whether the process that left this trace died in that commit, or in one after it. */
export function endsOnceSettled(trace: string): boolean {
  const calls = callsIn(trace);
  const last = calls.at(-1);
  return settledAt(trace, calls) !== -1 && last !== undefined && isOfIndex(last);
}
