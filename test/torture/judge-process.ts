/** The process of judge.ts. */
import { createLog } from '../../shared/log/log.ts';
import { audit } from './audit.ts';
import type { Case, Verdict } from './judge.ts';
import { MailLedger } from './mail-ledger.ts';
import { lookAround } from './mail-storage.ts';
import { QueueLedger } from './queue-ledger.ts';
import { mailDirectory, openQueueNode } from './queue-node.ts';

process.on('message', (message) => {
  judge(message as Case).then(
    () => process.send?.({ loss: null } satisfies Verdict),
    (error: unknown) => process.send?.({ loss: error instanceof Error ? error.message : String(error) } satisfies Verdict),
  );
});

async function judge(one: Case): Promise<void> {
  if (one.of === 'queue') return judgeQueue(one);
  const ledger = new MailLedger();
  ledger.add(one.lines);
  ledger.compare((await lookAround(one.directory)) ?? []);
  await audit(one.directory);
}

async function judgeQueue({ directory, lines }: Case & { readonly of: 'queue' }): Promise<void> {
  const ledger = new QueueLedger();
  ledger.add(lines);
  const node = await openQueueNode(directory, createLog({ node: 'be1', level: 'silent' }));
  try {
    await ledger.compare(node);
  } finally {
    await node.close();
  }
  await audit(mailDirectory(directory));
}
