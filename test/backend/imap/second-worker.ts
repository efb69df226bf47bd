/** Another worker process of a node, for the tests of what sessions of different workers are told. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { testProcess } from '../../harness/program-file.ts';

/** Starts one on the storage in that directory, until the test ends; answers its port for IMAP. */
export async function workerOf(t: TestContext, directory: string): Promise<number> {
  const worker = fork(testProcess('backend/imap/other-worker'), [directory]);
  t.after(async () => {
    worker.disconnect();
    await once(worker, 'exit');
  });
  const [message] = (await once(worker, 'message')) as [{ port: number }];
  return message.port;
}
