/** Reads what `strace -f -o` has written. */

/** A call that has ended; `begin` and `end` are numbers of lines. */
export interface TracedCall {
  /** Number of the thread. */
  readonly thread: string;
  readonly begin: number;
  readonly end: number;
  readonly name: string;
  readonly parameters: string;
  readonly result: string;
}

/** The finished calls, in the order in which they ended. A call that was interrupted in the trace is put together. */
export function* callsIn(lines: readonly string[]): Generator<TracedCall> {
  const open = new Map<string, { readonly begin: number; readonly text: string }>();
  for (const [index, line] of lines.entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/su.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/su.exec(rest);
    if (rest.endsWith('<unfinished ...>')) {
      open.set(thread, { begin: index, text: rest.slice(0, -'<unfinished ...>'.length).trimEnd() });
      continue;
    }
    const begun = resumed === null ? { begin: index, text: '' } : open.get(thread);
    const whole = `${begun?.text ?? ''}${resumed?.[1] ?? rest}`;
    const [, name, parameters, result] = /^(\w+)\((.*)\) += (.*)$/su.exec(whole) ?? [];
    if (name === undefined || parameters === undefined || result === undefined || begun === undefined) continue;
    yield { thread, begin: begun.begin, end: index, name, parameters, result };
  }
}

/** Tells of a line of that trace, made with `-y` and `openat`, whether the call flushes a pack: by fdatasync, or as a write through O_DSYNC. */
export function flushesOfPacks(trace: string): (line: string) => boolean {
  const opened = [...callsIn(trace.split('\n'))].filter(({ name, parameters, result }) => name === 'openat' && parameters.includes('O_DSYNC') && result.endsWith('.pack>'));
  return (line) => /fdatasync\(\d+<[^>]*\.pack>/u.test(line) || opened.some(({ result }) => line.includes(`pwrite64(${result}`));
}
