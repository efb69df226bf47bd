import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { workerProcesses } from '../../../cluster-config/worker-processes.ts';

const mebibyte = 1024 * 1024;

test('a back-end worker keeps its young generation while it works, and gives it back at rest', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...workerProcesses.backend.engineFlags, join(import.meta.dirname, 'resting-program.ts')]);
  const { grown, least, atRest } = JSON.parse(stdout) as Record<'grown' | 'least' | 'atRest', number>;
  assert.ok(least > 17 * mebibyte, `while it worked: ${String(least)} of ${String(grown)} bytes`);
  assert.ok(atRest <= 17 * mebibyte, `at rest: ${String(atRest)} of ${String(grown)} bytes`);
});
