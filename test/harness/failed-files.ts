/** A reporter that names the files in which something failed, one a line, when all is over; test/run.ts reads it. */
import { fileURLToPath } from 'node:url';
import type { TestEvent } from 'node:test/reporters';
import { isSharedProcess } from './shared-process.ts';

export default async function* failedFiles(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failed = new Set<string>();
  for await (const event of source) {
    const { file } = event.type === 'test:fail' || (event.type === 'test:summary' && !event.data.success) ? event.data : {};
    // A file that ended before its time has no summary; a test of a suite that several files call bears the suite's file.
    if (file?.endsWith('.test.ts') === true) failed.add(file);
    // In a process of several files each is a suite of its name. What has another name there is the process itself, which ended before its time.
    else if (event.type === 'test:fail' && file !== undefined && isSharedProcess(file)) failed.add(event.data.name.startsWith('file:') ? fileURLToPath(event.data.name) : file);
  }
  for (const file of failed) yield `${file}\n`;
}
