/** What of a queued message is said in a few words. */
import { distance, exactTime } from '../format.ts';
import { Badge } from '../parts/screen.tsx';
import type { QueueItem } from '../views.ts';

export function senderText(sender: string): string {
  return sender === '' ? 'a report (no sender)' : sender;
}

export function State({ item: { held, recipients } }: { readonly item: QueueItem }) {
  if (held) return <Badge tone="warn">held</Badge>;
  const due = recipients.flatMap(({ dueAt, state }) => (state === 'waiting' && dueAt !== undefined ? [dueAt] : [])).sort()[0];
  if (due === undefined) return <Badge tone="plain">waiting</Badge>;
  return <span title={exactTime(due)}>next try {new Date(due).getTime() <= Date.now() ? 'now' : distance(due)}</span>;
}
