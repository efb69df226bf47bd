/** What our listeners show to TLS clients: certificate, key, whose client certificates count. Made by the wiring, read by every listener and STARTTLS. */
import * as tls from 'node:tls';

/** A certificate in use, ready for listeners (`options`) and for STARTTLS (`context`). Immutable: a reload makes a new one. */
export interface ServerTls {
  readonly options: tls.SecureContextOptions & { readonly sessionIdContext: string };
  readonly context: tls.SecureContext;
}

/** PEM texts. `authority` signs client certificates that count as verified (the cluster CA). */
export interface ServerTlsPems {
  readonly certificate: string;
  readonly key: string;
  readonly authority?: string | undefined;
  /** 48 secret bytes, the same in all workers of a node, so that a session can be resumed at any of them. */
  readonly ticketKeys?: Buffer | undefined;
}

/** Checks the PEMs (throws what OpenSSL says of a bad one) and makes the context once. TLS 1.2 is the oldest spoken (RFC 8996). */
export function createServerTls(pems: ServerTlsPems): ServerTls {
  const options = {
    cert: pems.certificate,
    key: pems.key,
    minVersion: 'TLSv1.2',
    sessionIdContext: 'waybill',
    ca: pems.authority ?? [], // never the system's authorities: whom they know is no node of ours
    ...(pems.ticketKeys === undefined ? {} : { ticketKeys: pems.ticketKeys }),
  } as const;
  return { options, context: tls.createSecureContext(options) };
}
