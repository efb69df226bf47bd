/** Which of a compaction's calls belong to the commit that names the copies: told by the trace of one that nobody disturbs. */
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

/** Where records first go into a pack, behind its header: they are settled before the next call of the index. -1 when none do. */
function settledAt(calls: readonly Call[]): number {
  return calls.findIndex((call) => call.name === 'pwrite64' && !isOfIndex(call) && !/, 0(?:\) +=| <unfinished)/u.test(call.text));
}

/** The number of the call that the step means, among those of its name; undefined when it did not come. */
export function countIn(trace: string, step: Step): number | undefined {
  const calls = callsIn(trace);
  const settled = settledAt(calls);
  const wantsHeader = step.calls === 'pwrite64';
  const at = calls.findIndex((call, index) => settled !== -1 && index > settled && isOfIndex(call) && step.calls.split(',').includes(call.name) && (!wantsHeader || isHeaderWrite(call.text)));
  const name = calls[at]?.name;
  return name === undefined ? undefined : calls.slice(0, at + 1).filter((call) => call.name === name).length;
}

/** Whether the process that left this trace died in that commit, or in one after it. */
export function endsOnceSettled(trace: string): boolean {
  const calls = callsIn(trace);
  const last = calls.at(-1);
  return settledAt(calls) !== -1 && last !== undefined && isOfIndex(last);
}
