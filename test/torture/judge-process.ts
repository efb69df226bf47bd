/** The process of judge.ts. */
import { audit } from './audit.ts';
import type { Case, Verdict } from './judge.ts';
import { MailLedger } from './mail-ledger.ts';
import { lookAround } from './mail-storage.ts';

process.on('message', (message) => {
  const { directory, lines } = message as Case;
  judge({ directory, lines }).then(
    () => process.send?.({ loss: null } satisfies Verdict),
    (error: unknown) => process.send?.({ loss: error instanceof Error ? error.message : String(error) } satisfies Verdict),
  );
});

async function judge({ directory, lines }: Case): Promise<void> {
  const ledger = new MailLedger();
  ledger.add(lines);
  ledger.compare((await lookAround(directory)) ?? []);
  await audit(directory);
}
