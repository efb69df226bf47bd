/** Asks the system whether a port can be listened at, without staying there, or whether somebody does. */
import { connect, createServer } from 'node:net';

/** `in-use` when something listens there. @throws the system's error for any other reason (no right to, no such address). */
export async function probePort(host: string, port: number): Promise<'free' | 'in-use'> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('in-use');
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve('free'));
    });
  });
}

/** How long a connection to this machine may take. */
const connectMs = 1000;

/** Whether somebody accepts connections there now. */
export async function isListenedAt({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  const socket = connect({ host, port, timeout: connectMs });
  return await new Promise((resolve) => {
    const settle = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}
