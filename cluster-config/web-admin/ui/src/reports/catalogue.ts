/** Which charts there are: of which counters, and what a line of each is. */

export type Unit = 'count' | 'each step' | 'per minute' | 'bytes' | 'processors' | 'seconds';

export interface ChartKind {
  readonly title: string;
  /** One sentence: what is counted. */
  readonly about: string;
  readonly unit: Unit;
  readonly counters: readonly string[];
  /** Name of the line that a node's counter belongs to; undefined: to none. */
  readonly lineOf: (counter: string, node: string) => string | undefined;
  /** Growth is told for so many milliseconds; undefined: what was added in each step. */
  readonly perMs: number | undefined;
}

export interface ChartGroup {
  readonly title: string;
  readonly kinds: readonly ChartKind[];
}

const minuteMs = 60_000;
const proxies = [['imap', 'imapProxy'], ['pop3', 'pop3Proxy'], ['smtp', 'smtpProxy'], ['webmail', 'webmailProxy']] as const;
const protocolNames = { imap: 'IMAP', pop3: 'POP3', smtp: 'SMTP', webmail: 'WebMail' } as const;

interface Given {
  readonly title: string;
  readonly about: string;
  readonly unit: Unit;
}

/** A line for each protocol: counters of the proxies. */
function byProtocol(given: Given, counterOf: (protocol: (typeof proxies)[number][0]) => string): ChartKind {
  const names = new Map(proxies.map(([protocol, service]) => [`${counterOf(protocol)}/${service}`, protocolNames[protocol]]));
  return { ...given, counters: [...names.keys()], lineOf: (counter) => names.get(counter), perMs: minuteMs };
}

/** A line for each node. */
function byNode(given: Given, counter: string): ChartKind {
  return { ...given, counters: [counter], lineOf: (name, node) => (name === counter ? node : undefined), perMs: given.unit === 'processors' ? 1000 : minuteMs };
}

/** A line for each counter, in the given words. */
function byCounter(given: Given, words: Readonly<Record<string, string>>): ChartKind {
  return { ...given, counters: Object.keys(words), lineOf: (counter) => words[counter], perMs: given.unit === 'each step' ? undefined : minuteMs };
}

export const serverCharts: readonly ChartGroup[] = [
  { title: 'Front-ends', kinds: [
    byProtocol({ title: 'Sessions', about: 'Sessions of clients that were open at the end of each step.', unit: 'count' }, () => 'proxy_sessions'),
    byProtocol({ title: 'Logins', about: 'Logins that succeeded.', unit: 'per minute' }, (protocol) => `${protocol}_inbound_connection_authenticated_success`),
    byProtocol({ title: 'Failed logins', about: 'Logins that did not succeed, whatever the reason.', unit: 'per minute' }, () => 'login_failed'),
    byProtocol({ title: 'Connections', about: 'Connections of clients that were accepted.', unit: 'per minute' }, (protocol) => `${protocol}_inbound_connection`),
    byNode({ title: 'Messages from outside', about: 'Messages that front-ends accepted and gave to back-ends.', unit: 'per minute' }, 'smtp_inbound_message/smtpProxy'),
    byCounter({ title: 'Routes and directory', about: 'Look-ups of routes, most of them answered by the cache, and operations that were sent to the directory.', unit: 'per minute' }, { route_lookup: 'Look-ups of routes', directory_operation: 'Directory operations' }),
  ] },
  { title: 'Back-ends', kinds: [
    byNode({ title: 'Messages accepted', about: 'Messages that back-ends took from front-ends, other nodes and clients.', unit: 'per minute' }, 'smtp_inbound_message/smtpReceiving'),
    byCounter({ title: 'Deliveries', about: 'Messages stored at once; tries to deliver from the queue, and those after the first; reports to senders.', unit: 'per minute' },
      { processing_direct_delivery: 'Stored at once', processing_delivery: 'From the queue', processing_retry: 'Retries', processing_report: 'Reports to senders' }),
    byNode({ title: 'Queue', about: 'Messages in the queue at the end of each step.', unit: 'count' }, 'processing_queue_size'),
    byNode({ title: 'Free space', about: 'Free space of the disk on which a back-end keeps the mail.', unit: 'bytes' }, 'storage_free_bytes'),
  ] },
  { title: 'Processes', kinds: [
    byNode({ title: 'Processors in use', about: 'Processor time of all processes of a node for each second.', unit: 'processors' }, 'process_cpu_seconds'),
    byNode({ title: 'Memory', about: 'Resident memory of all processes of a node.', unit: 'bytes' }, 'process_resident_memory_bytes'),
    byNode({ title: 'Event-loop lag', about: 'How late the slowest process of a node was at worst, because of other work.', unit: 'seconds' }, 'event_loop_lag_seconds'),
  ] },
];

/** Of a domain or an account. */
export const accountCharts: readonly ChartGroup[] = [
  { title: 'What was counted', kinds: [
    byCounter({ title: 'Logins', about: 'Logins that succeeded, by any protocol.', unit: 'each step' }, { logins: 'Logins' }),
    byCounter({ title: 'Messages', about: 'Messages received and sent.', unit: 'each step' }, { messages_received: 'Received', messages_sent: 'Sent' }),
  ] },
];

export function countersOf(groups: readonly ChartGroup[]): readonly string[] {
  return groups.flatMap(({ kinds }) => kinds.flatMap(({ counters }) => counters));
}
