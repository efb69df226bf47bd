/** Waits until a socket, or whatever else is written to, takes more bytes. */
import type { Writable } from 'node:stream';

/** Resolves on the next 'drain', or when it is gone. */
export async function drained(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}
