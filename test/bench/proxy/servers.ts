/** What is measured, as the client sees it: a server of mail programs, the ports it has, and the processes that are its. */

export type Protocol = 'imap' | 'pop3';
export type Leg = 'plain' | 'tls';

export interface Peer {
  readonly name: string;
  /** Undefined where it does not serve a protocol on such a connection. */
  port(protocol: Protocol, leg: Leg): number | undefined;
  /** All processes that work for it have one of these for an ancestor, or are it. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Where the users are known: name@example.com, below `ou=people`. */
export interface Directory {
  readonly uri: string;
  readonly baseDn: string;
}

/** PEM files of the servers. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface MailPorts {
  readonly imap: number;
  readonly imaps: number;
  readonly pop3: number;
  readonly pop3s: number;
}

export function portOf(ports: MailPorts, protocol: Protocol, leg: Leg): number {
  return leg === 'tls' ? ports[`${protocol}s` as const] : ports[protocol];
}
