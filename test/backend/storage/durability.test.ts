/** An append is answered only after its bytes, and then its index entry, were flushed: watched at the system calls. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from './harness.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** The system calls of a process that appends five messages one after the other, each between two marks. */
function tracedAppends(directory: string): string[][] {
  const trace = join(directory, 'trace');
  const script = join(import.meta.dirname, 'traced-process.ts');
  const run = spawnSync('strace', ['-f', '-y', '-s', '16', '-e', 'trace=fsync,fdatasync,pwrite64,write,writev,pwritev', '-o', trace, process.execPath, script, join(directory, 'data')]);
  assert.equal(run.status, 0, run.stderr.toString());
  const text = readFileSync(trace, 'utf8');
  const parts = text.split(/^.*write\(1<[^>]*>, "(?:append|stored)\b.*$/m);
  return [1, 3, 5, 7, 9].map((index) => (parts[index] ?? '').split('\n'));
}

test('Each append flushes the pack, then the index, and only then is acknowledged', { skip: !hasStrace && 'strace is not installed' }, (t) => {
  for (const calls of tracedAppends(temporaryDirectory(t))) {
    const last = (pattern: RegExp): number => calls.findLastIndex((call) => pattern.test(call));
    const first = (pattern: RegExp): number => calls.findIndex((call) => pattern.test(call));
    const bodyWritten = last(/pwrite64\(\d+<[^>]*\.pack>/);
    const packFlushed = last(/fdatasync\(\d+<[^>]*\.pack>/);
    const indexWritten = first(/(pwrite64|pwritev|write|writev)\(\d+<[^>]*data\.mdb>/);
    const indexFlushed = last(/(fdatasync|fsync)\(\d+<[^>]*data\.mdb>/);
    assert.ok(bodyWritten >= 0, 'the bytes are written');
    assert.ok(packFlushed > bodyWritten, 'the pack is flushed after they are written');
    assert.ok(indexWritten > packFlushed, 'the index is written after the pack is flushed');
    assert.ok(indexFlushed > indexWritten, 'the index is flushed');
  }
});
