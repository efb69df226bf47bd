/** Starts the indexer for one pass and hears what becomes of it. */
import { fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { noticeSchema } from './indexer-notice.ts';
import type { IndexerNotice, IndexerOrder } from './indexer-notice.ts';
import type { NodeLoad } from './indexer-pace.ts';

/** The file beside this one: `.ts` in a checkout, `.js` in the package. */
const program = join(import.meta.dirname, `indexer-process${extname(import.meta.filename)}`);

export interface IndexerRun {
  /** How the pass ended. Rejects with a Failure when the process ended before. */
  readonly ended: Promise<Extract<IndexerNotice, { is: 'done' | 'busy' }>>;
  /** Tells it how much way to make; nothing is known of it when it has ended. */
  tell(load: NodeLoad): void;
  /** Ends it at once; `ended` rejects. */
  stop(): void;
}

export function runIndexer(order: IndexerOrder, hear: (notice: Extract<IndexerNotice, { is: 'progress' | 'trouble' }>) => void): IndexerRun {
  const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  const ended = new Promise<Extract<IndexerNotice, { is: 'done' | 'busy' }>>((resolve, reject) => {
    child.on('message', (message) => {
      const notice = noticeSchema.parse(message);
      if (notice.is === 'progress' || notice.is === 'trouble') hear(notice);
      else if (notice.is === 'failed') reject(new Failure('storage-failure', `the text index could not be made (${notice.reason.split('\n', 1)[0] ?? ''})`, { cause: notice.reason }));
      else resolve(notice);
    });
    child.on('error', (error) => reject(new Failure('storage-failure', 'the indexer could not be started', { cause: error })));
    child.on('exit', (code, signal) => reject(new Failure('storage-failure', `the indexer ended too early (${signal ?? `code ${String(code)}`})`)));
  });
  child.send(order);
  const tell = (load: NodeLoad): void => {
    if (child.connected) child.send({ is: 'load', load }, () => undefined);
  };
  return { ended, tell, stop: () => void child.kill('SIGKILL') };
}
