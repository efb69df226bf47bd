/**
 * One report for what counts as one message: a client whose line was cut before it heard 250 sends again, and both tries may come
 * to the same end. Reports follow the rule of delivery keys, with a key for each recipient and kind of report. Holds for tries
 * that came to the same node, as front-ends see to while it is up.
 */
import type { DeliveryRecords, Table } from '../storage/storage.ts';
import { accept, deliveryKey, isRecorded, settleAcceptance } from './delivery-keys.ts';
import type { KeyRules } from './delivery-keys.ts';
import type { QueueItem } from './queue-item.ts';
import type { ReportAction } from './report.ts';
import type { DueReport } from './try-outcome.ts';

const actions: readonly ReportAction[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];

function reportKey({ sender, digest }: QueueItem, action: ReportAction, address: string): string {
  return deliveryKey(sender.address, `report ${action} ${address}`, digest);
}

/** What of these reports the sender has not been told. The same item may claim again: its reports are perhaps not made yet. */
export async function claimReports(deliveryRecords: Pick<DeliveryRecords, 'write'>, { item, rules }: { readonly item: QueueItem; readonly rules: KeyRules }, reports: readonly DueReport[]): Promise<readonly DueReport[]> {
  const { id, acceptedAtMs, confirmation, holder } = item;
  const acceptance = { id, acceptedAtMs, confirmation, holder };
  return deliveryRecords.write((records) => reports.flatMap((report) => {
    const recipients = report.recipients.filter(({ address }) => {
      const key = reportKey(item, report.action, address);
      return isRecorded(records, key, acceptance) || accept(records, key, { acceptance, rules }) === 'new';
    });
    return recipients.length === 0 ? [] : [{ ...report, recipients }];
  }));
}

/** Notes for reports made already how the session of their item ended. Only inside a transaction. */
export function settleReports(records: Table, item: QueueItem, confirmation: 'confirmed' | 'loose'): void {
  for (const { address } of item.recipients) {
    for (const action of actions) settleAcceptance(records, reportKey(item, action, address), { name: item, confirmation });
  }
}
