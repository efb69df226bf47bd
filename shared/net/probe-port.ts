/** Asks the system whether a port can be listened at, without staying there. */
import { createServer } from 'node:net';

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
