/** Which files came to their end, and which are to be tried again: notes on the way to a reporter. */
import type { TestEvent } from 'node:test/reporters';
import { isSharedProcess, testFileOf } from './shared-process.ts';

export interface Notes {
  readonly failed: Set<string>;
  /** A process that ends before its time, even with 0, tells nothing of what it did not run. */
  readonly ended: Set<string>;
  /** Whether nothing failed. */
  passed: boolean;
}

export async function* noteFailures(source: AsyncIterable<TestEvent>, notes: Notes): AsyncGenerator<TestEvent> {
  for await (const event of source) {
    note(event, notes);
    yield event;
  }
}

function note(event: TestEvent, notes: Notes): void {
  const { failed, ended } = notes;
  if (event.type === 'test:summary') {
    const { file, success } = event.data;
    if (file !== undefined) ended.add(file);
    if (success) return;
    notes.passed = false;
    if (file?.endsWith('.test.ts') === true) failed.add(file);
  } else if (event.type === 'test:pass' || event.type === 'test:fail') {
    const file = testFileOf(event.data);
    // In a process of several files each is a suite of its name.
    if (file !== undefined && file !== event.data.file) ended.add(file);
    if (event.type === 'test:pass') return;
    notes.passed = false;
    // A test of a suite that several files call bears the suite's file. What is of a shared process and of none of its files is that process, which ended before its time.
    if (file !== undefined && (file.endsWith('.test.ts') || isSharedProcess(file))) failed.add(file);
  }
}
