/** Which files are to be tried again: notes on the way to a reporter in which something failed. */
import { fileURLToPath } from 'node:url';
import type { TestEvent } from 'node:test/reporters';
import { isSharedProcess } from './shared-process.ts';

interface Notes {
  readonly failed: Set<string>;
  /** Whether all went well. */
  passed: boolean;
}

export async function* noteFailures(source: AsyncIterable<TestEvent>, notes: Notes): AsyncGenerator<TestEvent> {
  const { failed } = notes;
  for await (const event of source) {
    const { file } = event.type === 'test:fail' || (event.type === 'test:summary' && !event.data.success) ? event.data : {};
    // A file that ended before its time has no summary; a test of a suite that several files call bears the suite's file.
    if (file?.endsWith('.test.ts') === true) failed.add(file);
    // In a process of several files each is a suite of its name. What has another name there is the process itself, which ended before its time.
    else if (event.type === 'test:fail' && file !== undefined && isSharedProcess(file)) failed.add(event.data.name.startsWith('file:') ? fileURLToPath(event.data.name) : file);
    if (event.type === 'test:fail' || (event.type === 'test:summary' && !event.data.success)) notes.passed = false;
    yield event;
  }
}
