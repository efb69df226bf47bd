/** What is measured once, with servers of its own: memory of idle sessions, flushes, a slow disk, the text index. */
import type { Figures } from '../proxy/cells.ts';
import { countFlushes, measureSlowFlushes } from './flush-cells.ts';
import type { FlushEffort } from './flush-cells.ts';
import { measureIdleMemory } from './idle-memory.ts';
import { measureDeliveries, measureIndexedSearches } from './indexed-cells.ts';
import { startIndexedWaybill, startXapian } from './indexed-stores.ts';
import { usersOfEachKind } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import type { Stage } from './stage.ts';
import { own, withoutIndex } from './targets.ts';
import { startWaybillStore } from './waybill-store.ts';
import type { StorageSettings } from './waybill-store.ts';

export interface SpecialEffort extends FlushEffort {
  readonly sessions: number;
  readonly restMs: number;
  readonly idleMs: number;
  /** Messages of the largest mailbox. */
  readonly bigMailbox: number;
  /** Asked of a text index. */
  readonly questions: number;
  /** Says what is being done. */
  readonly progress: (text: string) => void;
}

/** In the order in which they are measured. */
export const specialIds = ['memory-plain', 'memory-tls', 'search-indexed-middle', 'search-indexed-big', 'deliveries-indexed', 'flushes', 'slow-disk'] as const;

export interface Special {
  readonly id: (typeof specialIds)[number];
  readonly title: string;
  /** By server, ours first. */
  readonly measures: Readonly<Record<string, () => Promise<Figures>>>;
}

export function specials(stage: Stage, effort: SpecialEffort): readonly Special[] {
  const { starts, running: { keep } } = stage;
  const ours = async (settings: StorageSettings): Promise<MailStore> => keep(async () => startWaybillStore(undefined, settings));
  const memory = (['imap', 'imaps'] as const).map((leg): Special => ({
    id: leg === 'imap' ? 'memory-plain' : 'memory-tls', title: `memory: ${String(effort.sessions)} idle sessions (mailbox open, IDLE), ${leg === 'imap' ? 'without TLS' : 'TLS'}`,
    measures: Object.fromEntries(starts.map(({ name, start }) => [name, async () => measureIdleMemory(start, { leg, ...effort })])),
  }));
  return [
    ...memory,
    ...indexedSearches(stage, effort),
    {
      id: 'deliveries-indexed', title: `LMTP, 4 kB to ${String(usersOfEachKind)} users, ${String(effort.connections)} connections, while all mailboxes are indexed`,
      measures: { [own]: async () => measureDeliveries(ours, { textIndex: 'all' }, effort), [withoutIndex]: async () => measureDeliveries(ours, { textIndex: 'off' }, effort) },
    },
    { id: 'flushes', title: 'flushes for each accepted message (strace)', measures: Object.fromEntries(starts.map(({ name, start }) => [name, async () => countFlushes(start, effort)])) },
    { id: 'slow-disk', title: `each flush takes ${String(effort.delayMs)} ms longer`, measures: Object.fromEntries(starts.map(({ name, start }) => [name, async () => measureSlowFlushes(start, effort)])) },
  ];
}

/** In a tenth of the messages beside Xapian, in all of them ours alone: Xapian needs about a tenth of a second for each message that it indexes. */
function indexedSearches({ waybill: { ground: { certificates, slapd: directory }, password }, running }: Stage, effort: SpecialEffort): readonly Special[] {
  const cell = (id: Special['id'], messages: number, measures: Special['measures']): Special => ({ id, title: `SEARCH of texts with an index, ${String(messages)} messages, one session`, measures });
  const ours = (messages: number): Special['measures'] => ({ [own]: async () => measureIndexedSearches(async () => startIndexedWaybill(running), 'exact', { ...effort, messages }) });
  const middle = Math.ceil(effort.bigMailbox / 10);
  return [
    cell('search-indexed-middle', middle, { ...ours(middle), 'Dovecot sdbox with Xapian': async () => measureIndexedSearches(async () => startXapian({ certificates, directory, password }, running), 'told', { ...effort, messages: middle }) }),
    cell('search-indexed-big', effort.bigMailbox, ours(effort.bigMailbox)),
  ];
}
