/**
 * Starts a program as systemd does that has a socket unit: opens the socket, hands it over as descriptor 3 and says so in the
 * environment. Arguments: the port, the socket's name, the command. Messages of the program are passed on, signals too.
 */
import { spawn } from 'node:child_process';
import * as net from 'node:net';

const [port, name = '', ...command] = process.argv.slice(2);
const server = net.createServer();
server.listen({ host: '127.0.0.1', port: Number(port) }, () => {
  const handle: unknown = Reflect.get(server, '_handle');
  const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof descriptor !== 'number') throw new Error('no descriptor');
  // The shell is replaced by the program, so that LISTEN_PID is its own.
  const child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...command], {
    env: { ...process.env, LISTEN_FDS: '1', LISTEN_FDNAMES: name }, stdio: ['inherit', 'inherit', 'inherit', descriptor, 'ipc'],
  });
  server.close(); // here, not there
  child.on('message', (message) => process.send?.(message));
  child.on('exit', (code) => process.exit(code ?? 1));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
});
