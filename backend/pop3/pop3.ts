/** The POP3 service of a back-end (RFC 1939, RFC 2449, RFC 2595, RFC 5034): listeners and sessions. The wiring starts it. */
import type { UserSessions } from '../../shared/access/user-sessions.ts';
import { newSessionId } from '../../shared/base/session-id.ts';
import type { Logger } from '../../shared/log/log.ts';
import { RestingLegs, longestRestMs } from '../../shared/legs/resting-legs.ts';
import type { SessionEnd } from '../../shared/legs/resting-legs.ts';
import { Connection } from '../../shared/net/connection.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { optionsAt } from '../../shared/net/listen-place.ts';
import type { ListenPlace } from '../../shared/net/listen-place.ts';
import { listen, retireAll } from '../../shared/net/listener.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import { maxSaslLineBytes } from '../../shared/sasl/mechanisms.ts';
import type { HintBus, Service } from '../../shared/service/service.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import { CommandSlots, SessionSlot } from '../../shared/workers/command-slots.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { Session } from './session.ts';
import { countConnection } from '../../shared/metrics/service-counters.ts';

export type Pop3Listener = ListenPlace & {
  readonly tls: 'implicit' | 'starttls';
  /** `yes`: front-ends log in here on behalf of users, by their node certificate. Needs implicit TLS. */
  readonly trusted: 'yes' | 'no';
};

export interface Pop3Limits {
  /** Commands in a row that could not be understood before the line is cut. */
  readonly maxErrors: number;
  /** Failed logins before the line is cut. */
  readonly maxAuthErrors: number;
  /** How long the answer to a failed login waits. */
  readonly loginFailureDelayMs: number;
  /** From the connection to a successful login. */
  readonly loginTimeoutMs: number;
  /** Silence before autologout; at least 10 minutes (RFC 1939 section 3). */
  readonly idleTimeoutMs: number;
}

export interface Pop3Options {
  /** In which commands work; any number at once when absent. */
  readonly slots?: CommandSlots | undefined;
  readonly listeners: readonly Pop3Listener[];
  readonly serverTls: ServerTls;
  readonly accounts: Pick<Accounts, 'login' | 'open'>;
  /** How many sessions a user may have; no limit when absent. */
  readonly userSessions?: UserSessions | undefined;
  readonly hints: HintBus;
  readonly log: Logger;
  readonly limits: Pop3Limits;
  /** Whether the configuration lists this node as one that may log users in. */
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
}

export interface Pop3Service extends Service {
  /** The ports in use, in the order of the listeners. */
  readonly ports: readonly number[];
}

/** Room for AUTH with its longest initial response; other commands have 255 octets (RFC 2449 section 4). */
const maxLineBytes = maxSaslLineBytes + 64;

/** Opens the listeners. Rejects with the system's error when a port can't be had. */
export async function startPop3(options: Pop3Options): Promise<Pop3Service> {
  const log = options.log.child({ service: 'pop3' });
  const sessions = new Map<Session, Promise<SessionEnd>>();
  const resting = new RestingLegs();
  const open = await Promise.all(
    options.listeners.map(async (listener) => {
      const here = optionsAt({ ...options, log }, listener);
      return listen({ ...listener, protocol: 'pop3', serverTls: here.serverTls, requestCertificate: listener.trusted, log }, (socket) => {
        serve(socket, here, { listener, sessions, resting }).catch((error: unknown) => {
          log.error({ err: error }, 'session failed');
          socket.destroy();
        });
      });
    }),
  );
  const unsubscribe = options.hints.subscribe((hint) => {
    if (hint.mailbox === undefined) for (const session of sessions.keys()) session.checkOwner(hint.account);
  });
  return {
    name: 'pop3',
    ports: open.map(({ port }) => port),
    retire: async () => {
      resting.close();
      await retireAll(open);
    },
    stop: async (graceMs) => {
      resting.close();
      await Promise.all(open.map(async (listener) => listener.close()));
      await drain(sessions, graceMs);
      unsubscribe();
    },
  };
}

interface Place {
  readonly listener: Pop3Listener;
  readonly sessions: Map<Session, Promise<SessionEnd>>;
  readonly resting: RestingLegs;
}

async function serve(socket: AnySocket, options: Pop3Options, place: Place): Promise<void> {
  const closed = countConnection('pop3');
  try {
    await place.resting.serve(socket, {
      open: (each) => connectionOn(each, options),
      serve: async (fresh) => serveSession(fresh, options, place),
    });
  } finally {
    closed();
  }
}

async function serveSession({ connection, slot }: Fresh, options: Pop3Options, place: Place): Promise<SessionEnd> {
  connection.setIdleTimeout(options.limits.loginTimeoutMs);
  const peer = place.listener.trusted === 'yes' ? nodeIdentity(connection.socket) : undefined;
  const trusted = peer?.role === 'frontend' && options.isTrustedNode(peer);
  const id = newSessionId();
  const log = options.log.child({ session: id, client: connection.remoteAddress, ...(trusted ? { frontend: peer.node } : {}) });
  const session = new Session(connection, { ...options, resting: place.resting, trustedPeer: trusted ? 'yes' : 'no' }, { id, log, slot });
  log.info('session begins');
  const running = session.run();
  place.sessions.set(session, running);
  try {
    return await running;
  } finally {
    place.sessions.delete(session);
    session.log.info('session ends');
  }
}

interface Fresh {
  readonly connection: Connection;
  readonly slot: SessionSlot;
}

function connectionOn(socket: AnySocket, { slots }: Pop3Options): Fresh {
  const slot = new SessionSlot(slots ?? new CommandSlots('pop3', Infinity));
  return { connection: new Connection(socket, { maxLineBytes, idleTimeoutMs: longestRestMs, slot }), slot };
}

/** Waits for the sessions' own end, not only for their sockets': marks may still be on their way to the storage. */
async function drain(sessions: ReadonlyMap<Session, Promise<SessionEnd>>, graceMs: number): Promise<void> {
  for (const session of sessions.keys()) session.leave();
  const cut = setTimeout(() => {
    for (const session of sessions.keys()) session.cut();
  }, graceMs);
  await Promise.allSettled(sessions.values());
  clearTimeout(cut);
}
