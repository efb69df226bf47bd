/**
 * The face of the room (manual 3.2.1): the listeners on which a back-end takes mail. `lmtp` is for nodes of the cluster,
 * `mx` for mail of the world that reaches the back-end directly, `submission` for users and for front-ends on their behalf.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { optionsAt } from '../../shared/net/listen-place.ts';
import type { ListenPlace } from '../../shared/net/listen-place.ts';
import { listen, retireAll } from '../../shared/net/listener.ts';
import type { Listener } from '../../shared/net/listener.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import type { Service } from '../../shared/service/service.ts';
import { serveSmtp } from '../../shared/smtp/server-session.ts';
import type { SmtpHandlers, SmtpServerOptionsOf, SmtpSessions } from '../../shared/smtp/server-session.ts';
import type { SmtpLimits } from '../../shared/smtp/limits.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Processing } from '../processing/processing.ts';
import { lmtpHandlers, nodeParameters, traceAllowanceBytes } from './lmtp.ts';
import type { CommandSlots } from '../../shared/workers/command-slots.ts';
import { replyTo } from './replies.ts';
import { smtpHandlers } from './smtp.ts';

export { receivedField } from './trace-fields.ts';

export type SmtpReceivingListener = ListenPlace & {
  /** `lmtp` and `submission`: implicit TLS. `mx`: STARTTLS. */
  readonly kind: 'lmtp' | 'mx' | 'submission';
};

export interface SmtpReceivingOptions {
  readonly listeners: readonly SmtpReceivingListener[];
  readonly serverTls: ServerTls;
  /** In greetings and Received fields. */
  readonly hostName: string;
  /** Completes recipients without a domain. */
  readonly primaryDomain: string;
  readonly accounts: Pick<Accounts, 'login' | 'open' | 'permit' | 'lookUp' | 'expand'>;
  readonly processing: Processing;
  /** Whether the user maps are in charge of a domain (lower case, A-labels). */
  readonly isOurDomain: (domain: string) => boolean;
  /** Whether the configuration lists this node. */
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
  readonly limits: SmtpLimits;
  /** Of a message that is new to the cluster. */
  readonly maxHeaderBytes: number;
  /** A message with more Received fields goes round in circles. */
  readonly maxReceivedHeaders: number;
  /** In which logins, recipients and messages are worked on; any number at once when absent. */
  readonly slots?: CommandSlots | undefined;
  /** Before the greeting on `mx` listeners, milliseconds. */
  readonly greetingDelayMs: number;
  readonly log: Logger;
}

/** Opens the listeners; `ports` in their order. Rejects with the system's error when a port can't be had. */
export async function startSmtpReceiving(given: SmtpReceivingOptions): Promise<Service & { readonly ports: readonly number[] }> {
  const options = { ...given, log: given.log.child({ service: 'smtpReceiving' }) };
  const opened: { readonly listener: Listener; readonly door: Door }[] = [];
  try {
    for (const place of options.listeners) {
      const here = optionsAt(options, place);
      const door = doorOf(here, place.kind);
      const { serverTls, log } = here;
      const onRequest = place.kind === 'mx'; // STARTTLS, and nobody is asked for a certificate
      const listener = await listen(
        { ...place, protocol: 'smtp', tls: onRequest ? 'starttls' : 'implicit', serverTls, requestCertificate: onRequest ? 'no' : 'yes', log },
        (socket) => door.accept(socket),
      );
      opened.push({ listener, door });
    }
  } catch (error) {
    await Promise.all(opened.map(({ listener }) => listener.close()));
    throw error;
  }
  return {
    name: 'smtpReceiving',
    ports: opened.map(({ listener }) => listener.port),
    retire: async () => retireAll(opened.map(({ listener }) => listener)),
    stop: async (graceMs) => {
      await Promise.all(opened.map(({ listener }) => listener.close()));
      await Promise.all(opened.map(({ door }) => door.stop(graceMs)));
    },
  };
}

type Door = Pick<SmtpSessions, 'accept' | 'stop'>;

function doorOf(options: SmtpReceivingOptions, kind: SmtpReceivingListener['kind']): Door {
  const { greetingDelayMs } = options;
  if (kind === 'lmtp') return serve(options, lmtpHandlers(options), { protocol: 'lmtp', ...trusted });
  if (kind === 'mx') return serve(options, smtpHandlers(options, 'mx'), { encryption: 'starttls', greetingDelayMs });
  const users = serve(options, smtpHandlers(options, 'submission'), { authentication: 'required' });
  const frontends = serve(options, smtpHandlers(options, 'relayed-submission'), { authentication: 'xclient', ...trusted });
  return {
    // Who shows a certificate of the cluster speaks for users; anybody else must log in.
    accept: (socket: AnySocket) => (nodeIdentity(socket) === undefined ? users : frontends).accept(socket),
    stop: async (graceMs) => {
      await Promise.all([users.stop(graceMs), frontends.stop(graceMs)]);
    },
  };
}

/** For listeners of nodes: their sessions carry many clients' mistakes, and must not be closed for them. */
const trusted = { trustedPeers: 'yes', extensions: ['XWAYBILL STANDING'], extraParameters: nodeParameters } as const;

type Manner = Partial<Pick<SmtpServerOptionsOf<unknown>, 'protocol' | 'encryption' | 'authentication' | 'trustedPeers' | 'extensions' | 'extraParameters' | 'greetingDelayMs'>>;

function serve<S>(options: SmtpReceivingOptions, handlers: SmtpHandlers<S>, manner: Manner): SmtpSessions {
  const { hostName, primaryDomain, serverTls, log, limits, slots } = options;
  return serveSmtp<S>({
    slots,
    service: 'smtpReceiving', protocol: 'smtp', hostName, primaryDomain, encryption: 'implicit', serverTls: () => serverTls, authentication: 'none', trustedPeers: 'no', extensions: [],
    extraParameters: [], greetingDelayMs: 0, log, handlers, replyTo: (thrown, sessionId) => replyTo(thrown, { sessionId, log }),
    ...manner,
    limits: manner.trustedPeers === 'yes' ? { ...limits, maxErrors: Infinity, maxMessageBytes: limits.maxMessageBytes + traceAllowanceBytes } : limits,
  });
}
