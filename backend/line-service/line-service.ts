/**
 * The life of a back-end's service of a line protocol (IMAP, POP3): its listeners, who is at the other end of a connection, the sessions that
 * follow each other on it, and the orderly end. What is said is the protocol's.
 */
import { newSessionId } from '../../shared/base/session-id.ts';
import { longestRestMs, RestingLegs } from '../../shared/legs/resting-legs.ts';
import type { SessionEnd } from '../../shared/legs/resting-legs.ts';
import type { Logger } from '../../shared/log/log.ts';
import { countConnection } from '../../shared/metrics/service-counters.ts';
import { Connection } from '../../shared/net/connection.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { optionsAt } from '../../shared/net/listen-place.ts';
import type { ListenPlace } from '../../shared/net/listen-place.ts';
import { listen, retireAll } from '../../shared/net/listener.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import type { ChangeHint, HintBus, Service } from '../../shared/service/service.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import { CommandSlots, SessionSlot } from '../../shared/workers/command-slots.ts';
import { SessionLog } from './session-log.ts';

export type { SessionLog } from './session-log.ts';

export type LineListener = ListenPlace & {
  readonly tls: 'implicit' | 'starttls';
  /** `yes`: front-ends log in here on behalf of users, by their node certificate. Needs implicit TLS. */
  readonly trusted: 'yes' | 'no';
};

export interface LineServiceOptions {
  readonly listeners: readonly LineListener[];
  readonly serverTls: ServerTls;
  /** In which commands work; any number at once when absent. */
  readonly slots?: CommandSlots | undefined;
  readonly hints: HintBus;
  readonly log: Logger;
  readonly limits: LineLimits;
  /** Whether the configuration lists this node as one that may log users in. */
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
}

export interface LineLimits {
  /** From the connection to a successful login. */
  readonly loginTimeoutMs: number;
  /** Silence before autologout. */
  readonly idleTimeoutMs: number;
}

/** What a session has from the connection that it begins on. */
export interface Beginning {
  readonly connection: Connection;
  /** The place in which its commands work. */
  readonly slot: SessionSlot;
  readonly id: string;
  readonly sessionLog: SessionLog;
  /** `yes`: a front-end of this cluster proved itself by its certificate. */
  readonly trustedPeer: 'yes' | 'no';
  /** The name of another back-end of this cluster that proved itself so, for a user of its own who wants to see a folder here. */
  readonly neighbour: string | undefined;
  /** Where the connection goes when a front-end keeps it. */
  readonly resting: Pick<RestingLegs, 'open'>;
}

export interface LineSession {
  readonly log: Logger;
  /** Resolves when everything of it is over, not only its connection. */
  run(begin: 'greeting' | 'silently'): Promise<SessionEnd>;
  /** Says goodbye as soon as no command is running. */
  leave(): void;
  /** Ends it at once. */
  cut(): void;
}

export interface LineProtocol<Options, Session> {
  readonly name: 'imap' | 'pop3';
  /** A longer line ends the session. */
  readonly maxLineBytes: number;
  readonly session: (beginning: Beginning, here: Options) => Session;
  readonly hear: (session: Session, hint: ChangeHint) => void;
}

export interface LineService extends Service {
  /** The ports in use, in the order of the listeners. */
  readonly ports: readonly number[];
}

type Running<Session> = Map<Session, Promise<SessionEnd>>;

/** Opens the listeners. Rejects with the system's error when a port can't be had. */
export async function startLineService<Options extends LineServiceOptions, Session extends LineSession>(options: Options, protocol: LineProtocol<Options, Session>): Promise<LineService> {
  const { name } = protocol;
  const log = options.log.child({ service: name });
  const sessions: Running<Session> = new Map();
  const resting = new RestingLegs();
  const open = await Promise.all(
    options.listeners.map(async (listener) => {
      const here = optionsAt({ ...options, log }, listener);
      return listen({ ...listener, protocol: name, serverTls: here.serverTls, requestCertificate: listener.trusted, log }, (socket) => {
        serve(socket, { options: here, protocol, listener, sessions, resting }).catch((error: unknown) => {
          log.error({ err: error }, 'session failed');
          socket.destroy();
        });
      });
    }),
  );
  const unsubscribe = options.hints.subscribe((hint) => {
    for (const session of sessions.keys()) protocol.hear(session, hint);
  });
  return {
    name,
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

interface Place<Options, Session> {
  readonly options: Options;
  readonly protocol: LineProtocol<Options, Session>;
  readonly listener: LineListener;
  readonly sessions: Running<Session>;
  readonly resting: RestingLegs;
}

interface Fresh {
  readonly connection: Connection;
  readonly slot: SessionSlot;
}

async function serve<Options extends LineServiceOptions, Session extends LineSession>(socket: AnySocket, place: Place<Options, Session>): Promise<void> {
  const { options, protocol: { name, maxLineBytes }, resting } = place;
  const closed = countConnection(name);
  try {
    await resting.serve(socket, {
      open: (each): Fresh => {
        const slot = new SessionSlot(options.slots ?? new CommandSlots(name, Infinity));
        return { connection: new Connection(each, { maxLineBytes, idleTimeoutMs: longestRestMs, slot }), slot };
      },
      serve: async (fresh, begin) => serveSession(place, fresh, begin),
    });
  } finally {
    closed();
  }
}

async function serveSession<Options extends LineServiceOptions, Session extends LineSession>({ options, protocol, listener, sessions, resting }: Place<Options, Session>, { connection, slot }: Fresh, begin: 'greeting' | 'silently'): Promise<SessionEnd> {
  connection.setIdleTimeout(options.limits.loginTimeoutMs);
  const peer = listener.trusted === 'yes' ? nodeIdentity(connection.socket) : undefined;
  const isNode = peer !== undefined && options.isTrustedNode(peer);
  const trusted = isNode && peer.role === 'frontend';
  const neighbour = isNode && peer.role === 'backend' ? peer.node : undefined;
  const id = newSessionId();
  const sessionLog = new SessionLog(options.log, { session: id, client: connection.remoteAddress, ...(trusted ? { frontend: peer.node } : {}), ...(neighbour === undefined ? {} : { backend: neighbour }) });
  const session = protocol.session({ connection, slot, id, sessionLog, trustedPeer: trusted ? 'yes' : 'no', neighbour, resting }, options);
  session.log.info('session begins');
  const running = session.run(begin);
  sessions.set(session, running);
  try {
    return await running;
  } finally {
    sessions.delete(session);
    session.log.info('session ends');
  }
}

/** Waits for the sessions' own end, not only for their sockets': what they write may still be on its way to the storage. */
async function drain<Session extends LineSession>(sessions: Running<Session>, graceMs: number): Promise<void> {
  for (const session of sessions.keys()) session.leave();
  const cut = setTimeout(() => {
    for (const session of sessions.keys()) session.cut();
  }, graceMs);
  await Promise.allSettled(sessions.values());
  clearTimeout(cut);
}
