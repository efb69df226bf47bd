/** Who is at the other end of an SMTP session, as the handlers of a room see it. */
import type { AnySocket } from '../net/connection.ts';
import type { StrictConnection } from './strict-connection.ts';

/** The client of one session; its values change as the session goes on (EHLO, STARTTLS, AUTH, XCLIENT). */
export interface SmtpPeer {
  readonly sessionId: string;
  /** For the peer's certificate (`nodeIdentity`). Don't read from it. */
  readonly socket: AnySocket;
  /** The client's address and port; after XCLIENT those it named. */
  readonly address: string;
  readonly port: number;
  /** The name of EHLO, HELO or LHLO, lower case. */
  readonly hello: string | undefined;
  /** As a Received field says it: `SMTP`, `ESMTPS`, `ESMTPSA`, `LMTPS`. */
  readonly protocol: string;
  readonly encrypted: boolean;
  /** The authenticated user, as `authenticate` returned it. */
  readonly user: string | undefined;
  /** What a trusted peer told of the true client by XCLIENT (address and port above are then the client's). */
  readonly forwarded: { readonly hello: string | undefined; readonly protocol: string | undefined } | undefined;
  /** For a protocol trace: somebody tries to log in under this name. */
  claimTrace(name: string): void;
}

/** Looks at the connection whenever it is asked. */
export function peerOf(connection: StrictConnection): SmtpPeer {
  const { session } = connection;
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  return {
    sessionId: connection.id,
    get socket() { return connection.socket; },
    get address() { return connection.remoteAddress; },
    get port() { return connection.remotePort; },
    get hello() { return text(connection.hostNameAppearsAs); },
    get protocol() { return session.transmissionType; },
    get encrypted() { return connection.secure; },
    get user() { return text(session.user); },
    get forwarded() {
      const given = connection._xClient;
      return given.has('ADDR') ? { hello: text(given.get('HELO')), protocol: text(given.get('PROTO')) } : undefined;
    },
    claimTrace: (name) => connection.claimTrace(name),
  };
}
