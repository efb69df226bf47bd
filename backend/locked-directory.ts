/** Who works with the directory of a storage or queue has it alone: a node, or a command that needs it at rest. */
import { Failure } from '../shared/base/failure.ts';
import { holderOf, holdFolder } from '../shared/base/folder-holder.ts';
import type { ForeignHolder } from '../shared/base/folder-holder.ts';
import { lockFolder } from '../shared/base/folder-lock.ts';

/** Holds it until what this answers is called, or the process ends; that throws when the folder could not be left in order, and gives the lock back all the same. Throws `in-use`. */
export function lockDirectory(directory: string, foreign: ForeignHolder): () => void {
  const lock = locked(directory);
  try {
    const leave = holdFolder(directory, foreign);
    return () => {
      try {
        leave();
      } finally {
        lock.release();
      }
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function locked(directory: string): ReturnType<typeof lockFolder> {
  try {
    return lockFolder(directory, 'supervisor.lock');
  } catch (error) {
    const holder = error instanceof Failure ? holderOf(directory) : undefined;
    if (holder === undefined) throw error;
    throw new Failure('in-use', `${directory} is in use by ${holder}`, { cause: error });
  }
}
