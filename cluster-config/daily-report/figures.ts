/** The numbers of a day, out of what the nodes counted, so that nothing is counted twice that went through two of them. Pure. */
import type { ClusterDay, NodeTold } from './cluster-day.ts';

const protocols = ['imap', 'pop3', 'webmail', 'smtp'] as const;
export type Protocol = (typeof protocols)[number];

/** Who counts what clients do: the proxy where the cluster has front-ends, as everything comes by them; else the server itself. */
const services = {
  frontend: { imap: 'imapProxy', pop3: 'pop3Proxy', webmail: 'webmailProxy', smtp: 'smtpProxy' },
  backend: { imap: 'imap', pop3: 'pop3', webmail: 'webmail', smtp: 'smtpReceiving' },
} as const;

export interface Figures {
  readonly accepted: number;
  readonly acceptedBytes: number;
  /** Copies that were put into mailboxes. */
  readonly delivered: number;
  /** Recipients on servers outside. */
  readonly sent: number;
  readonly refusedRecipients: number;
  readonly refusedMessages: number;
  readonly refusedConnections: number;
  /** Reports of failure to senders. */
  readonly bounced: number;
  readonly delayed: number;
  readonly logins: readonly { readonly protocol: Protocol; readonly succeeded: number; readonly failed: number }[];
  /** Nodes of which nothing is known of that day; and those of them that would have counted what clients do. */
  readonly unknownOf: readonly string[];
  readonly unknownAtEdge: readonly string[];
  /** Front-ends that were not counted yet when the day began. */
  readonly partOf: readonly string[];
}

export function figuresOf({ nodes, frontendCounts, newFrontends }: ClusterDay): Figures {
  const edge = nodes.some(({ role }) => role === 'frontend') ? 'frontend' : 'backend';
  const countsOf = (told: NodeTold): Readonly<Record<string, number>> => (told.role === 'frontend' ? frontendCounts[told.node] : told.kind === 'told' ? told.day.counts : undefined) ?? {};
  const sumOf = (role: NodeTold['role']) => (counter: string): number => nodes.filter((told) => told.role === role).reduce((sum, told) => sum + (countsOf(told)[counter] ?? 0), 0);
  const [atEdge, behind] = [sumOf(edge), sumOf('backend')];
  const smtp = services[edge].smtp;
  const unknown = nodes.filter((told) => told.kind === 'silent' && Object.keys(countsOf(told)).length === 0);
  return {
    accepted: atEdge(`smtp_inbound_message/${smtp}`),
    acceptedBytes: atEdge(`smtp_inbound_message_bytes/${smtp}`),
    delivered: behind('processing_direct_delivery/stored') + behind('processing_delivery/local/delivered'),
    sent: behind('processing_delivery/outside/delivered'),
    refusedRecipients: atEdge(`smtp_inbound_message_to_commands_rejected/${smtp}`),
    refusedMessages: atEdge(`smtp_inbound_message_rejected/${smtp}`),
    refusedConnections: protocols.reduce((sum, protocol) => sum + atEdge(`connections_refused/${services[edge][protocol]}`), 0),
    bounced: behind('processing_report/failed'),
    delayed: behind('processing_report/delayed'),
    logins: protocols.map((protocol) => ({
      protocol,
      succeeded: atEdge(`${protocol}_inbound_connection_authenticated_success/${services[edge][protocol]}`),
      failed: atEdge(`login_failed/${services[edge][protocol]}`),
    })),
    unknownOf: unknown.map(({ node }) => node),
    unknownAtEdge: unknown.flatMap(({ node, role }) => (role === edge ? [node] : [])),
    partOf: edge === 'frontend' ? newFrontends : [],
  };
}
