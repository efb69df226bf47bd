/** What `npm run bench -- store` can be told. */
import type { Command } from 'commander';
import { wholeNumber } from '../../../shared/bootstrap/development-command.ts';
import { comparingCommand } from '../command/bench-command.ts';
import type { ComparingWords } from '../command/bench-command.ts';
import { cellsOf } from './cell-list.ts';
import { specialIds } from './special.ts';

export interface StoreWords extends ComparingWords {
  readonly messages?: number;
  readonly floor?: true;
}

export function storeCommand(): Command {
  const cells = [...cellsOf({ bigMailbox: 1, connections: 1 }).map(({ id }) => id), ...specialIds];
  return comparingCommand('store', 'Our back-end beside Dovecot as a store of mail (LMTP, IMAP, POP3; sdbox and maildir). As root on Debian, on a quiet machine; what is measured and how: docs/store-benchmark.md.', cells)
    .option('--messages <number>', 'in the largest mailbox', wholeNumber(50))
    .option('--floor', 'measure a bare server of Node as well, which does only what no server of mail can leave out: deliveries, APPEND, SELECT, STORE');
}
