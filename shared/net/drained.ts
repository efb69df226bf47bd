/** Waits until a socket takes more bytes. */
import type { Socket } from 'node:net';

/** Resolves on the next 'drain', or when the socket is gone. */
export async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
