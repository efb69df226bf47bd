/** A second worker process of the node: serves IMAP on the storage whose directory is its argument, until its parent lets go. */
import { startServer } from './harness.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('no directory given');
const server = await startServer({ directory });
process.on('disconnect', () => {
  void server.stop();
});
process.send?.({ port: server.ports.tls });
