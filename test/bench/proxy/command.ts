/** What `npm run bench -- proxy` can be told. */
import type { Command } from 'commander';
import { comparingCommand } from '../command/bench-command.ts';
import { cellIds } from './cell-list.ts';

export function proxyCommand(): Command {
  return comparingCommand('proxy', 'Our front-end beside the proxies of nginx and Dovecot, and the whole system beside Dovecot. As root on Debian, on a quiet machine: 35 minutes; what is measured and how: docs/proxy-benchmark.md.', cellIds);
}
