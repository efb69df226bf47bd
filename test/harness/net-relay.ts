/**
 * A program: leads unix sockets to TCP ports of its own network namespace, so that servers which live in a namespace of their own can be
 * reached from outside: unix sockets are found by their file. Words: SOCKET=PORT …
 */
import * as net from 'node:net';

for (const pair of process.argv.slice(2)) {
  const [file = '', port = ''] = pair.split('=');
  net.createServer((client) => { join(client, net.connect(Number(port), '127.0.0.1')); }).listen(file);
}

function join(one: net.Socket, other: net.Socket): void {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    from.on('error', () => { to.destroy(); });
    from.on('close', () => { to.destroy(); });
    from.pipe(to);
  }
}
