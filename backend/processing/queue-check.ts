/** Checks the queue while it works: each item's bytes are in the packs as they were written, and each that waits is found when it is due. */
import { checkFolder, pagesOf } from '../storage/storage.ts';
import type { CheckOptions, CheckReport, Environment, Findings, IndexReader, KeptFolder, PackPlace } from '../storage/storage.ts';
import { decodeItem, dueTimes } from './queue-item.ts';
import type { QueueItem } from './queue-item.ts';
import { queueTables } from './queue-store.ts';

interface QueuedMessage {
  readonly item: QueueItem;
  readonly place: PackPlace;
}

/** Recipients that are named of one item. */
const mostRecipients = 5;

/** Throws `storage-failure` when the check itself can't be made, `storage-full`. */
export async function checkQueue(kept: KeptFolder, options: CheckOptions): Promise<CheckReport> {
  return checkFolder(kept, options, reader);
}

const reader: IndexReader<QueuedMessage> = {
  read: async (environment, findings) => {
    const placed: QueuedMessage[] = [];
    const dueOf = new Map<string, string[]>();
    for await (const page of pagesOf(environment.table(queueTables.items))) {
      for (const { value } of page) {
        const item = decodeItem(value);
        placed.push({ item, place: item.place });
        dueOf.set(item.id, [...dueTimes(item)].map(([destination, dueAtMs]) => `${destination} ${String(dueAtMs)}`));
      }
    }
    await checkDue(environment, dueOf, findings);
    const bytes = placed.reduce((sum, { place }) => sum + place.length, 0);
    return { placed, tally: { accounts: 0, mailboxes: 0, messages: placed.length, bytes } };
  },
  name: async (faults, findings) => {
    for (const { of: { item, place }, kind, text } of faults) findings.add({ kind, pack: place.pack, text: `item ${item.id} ${describe(item)}: ${text}` });
    return Promise.resolve();
  },
};

/** What waits is due once for each of its times, and nothing else is. */
async function checkDue(environment: Environment, dueOf: ReadonlyMap<string, string[]>, findings: Findings): Promise<void> {
  for await (const page of pagesOf(environment.table(queueTables.due))) {
    for (const { key: [destination, dueAtMs, id] } of page) {
      const times = dueOf.get(String(id));
      const at = times?.indexOf(`${String(destination)} ${String(dueAtMs)}`) ?? -1;
      if (times === undefined || at < 0) findings.add({ kind: 'left-over', text: `item ${String(id)} is due for ${String(destination)}, and does not wait for that` });
      else times.splice(at, 1);
    }
  }
  for (const [id, times] of dueOf) for (const time of times) findings.add({ kind: 'changes-wrong', text: `item ${id} waits for ${time.split(' ', 1)[0] ?? ''}, and is not found when it is due` });
}

function describe({ sender, recipients, acceptedAtMs }: QueueItem): string {
  const to = recipients.filter(({ state }) => state.at === 'waiting').map(({ address }) => address);
  const more = to.length > mostRecipients ? ` and ${String(to.length - mostRecipients)} more` : '';
  return `of ${new Date(acceptedAtMs).toISOString()} from <${sender.address}> to ${to.slice(0, mostRecipients).join(', ')}${more}`;
}
