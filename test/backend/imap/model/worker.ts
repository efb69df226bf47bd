/** A second worker process of the node: serves IMAP on the storage whose directory is its first argument, with the limits that are its second, and exchanges hints with its parent, as workers do by their supervisor. */
import type { ImapLimits } from '../../../../backend/imap/imap.ts';
import { startServer } from '../harness.ts';
import { entryOf } from '../two-nodes.ts';
import type { ChangeHint } from '../../../../shared/service/service.ts';

const [, , directory, limits] = process.argv;
if (directory === undefined || limits === undefined) throw new Error('usage: worker DIRECTORY LIMITS');
const server = await startServer({ directory, node: 'be2', limits: JSON.parse(limits) as Partial<ImapLimits>, others: { lookUp: (address) => entryOf(address, address.startsWith('far') ? 'be1' : 'be2') } });
let passing: 'on' | 'off' = 'off';
server.hints.subscribe((hint) => {
  if (passing === 'off') process.send?.({ hint });
});
process.on('message', ({ hint }: { readonly hint: ChangeHint }) => {
  passing = 'on';
  server.hints.publish(hint);
  passing = 'off';
});
process.on('disconnect', () => {
  void server.stop();
});
process.send?.({ port: server.ports.tls });
