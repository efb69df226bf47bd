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

/** Looks at the connection whenever it is asked. A class: getters of an object literal would have V8 keep each session's socket until it marks its heap. */
export class ConnectionPeer implements SmtpPeer {
  readonly #connection: StrictConnection;

  constructor(connection: StrictConnection) {
    this.#connection = connection;
  }

  get sessionId(): string {
    return this.#connection.id;
  }

  get socket(): AnySocket {
    return this.#connection.socket;
  }

  get address(): string {
    return this.#connection.remoteAddress;
  }

  get port(): number {
    return this.#connection.remotePort;
  }

  get hello(): string | undefined {
    return text(this.#connection.hostNameAppearsAs);
  }

  get protocol(): string {
    return this.#connection.session.transmissionType;
  }

  get encrypted(): boolean {
    return this.#connection.secure;
  }

  get user(): string | undefined {
    return text(this.#connection.session.user);
  }

  get forwarded(): SmtpPeer['forwarded'] {
    const given = this.#connection._xClient;
    return given.has('ADDR') ? { hello: text(given.get('HELO')), protocol: text(given.get('PROTO')) } : undefined;
  }

  claimTrace(name: string): void {
    this.#connection.claimTrace(name);
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
