/** A reporter that names the files in which something failed, one a line, when all is over; test/run.ts reads it. */
import type { TestEvent } from 'node:test/reporters';

export default async function* failedFiles(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failed = new Set<string>();
  for await (const event of source) {
    const { file } = event.type === 'test:fail' || (event.type === 'test:summary' && !event.data.success) ? event.data : {};
    // A file that ended before its time has no summary; a test of a suite that several files call bears the suite's file.
    if (file?.endsWith('.test.ts') === true) failed.add(file);
  }
  for (const file of failed) yield `${file}\n`;
}
