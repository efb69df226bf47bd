/** What our listeners show to TLS clients: certificate, key, whose client certificates count. Made by the wiring, read by every listener and STARTTLS. */
import { createHash } from 'node:crypto';
import * as tls from 'node:tls';
import { NameTable } from './server-names.ts';

/** Chooses the certificate by the name that a client asks for. */
export type ChooseByName = (name: string, chosen: (error: Error | null, context?: tls.SecureContext) => void) => void;

/** What begins a handshake as server on a socket that is there (STARTTLS). */
export interface HandshakeOptions {
  readonly isServer: true;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: false;
  readonly secureContext: tls.SecureContext;
  readonly SNICallback?: ChooseByName;
}

/** A certificate in use, ready for listeners (`options`) and for STARTTLS (`handshake`); one that is replaced in use is in renewable-tls.ts. */
export interface ServerTls {
  readonly options: tls.SecureContextOptions & { readonly sessionIdContext: string; readonly SNICallback?: ChooseByName };
  readonly handshake: HandshakeOptions;
  readonly context: tls.SecureContext;
  /** `yes`: clients are asked for a certificate, which may log them in. Listeners for nodes ask by themselves. */
  readonly requestCertificate: 'yes' | 'no';
  /** A server made with `options` is given new ones as they come. Absent where none come. */
  follow?(server: tls.Server): void;
  /** Authorities above a client's certificate; any number when absent. */
  readonly maxChainDepth?: number | undefined;
  /** The same certificate with what a listener asks for. Throws what OpenSSL says of bad ciphers. */
  varied(own: ListenerTls): ServerTls;
}

/** What a listener may have otherwise than others of its service. */
export interface ListenerTls {
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** In OpenSSL's notation. */
  readonly ciphers?: string | undefined;
  /** `no`: nobody is asked for a certificate. */
  readonly requestCertificate?: 'yes' | 'no' | undefined;
  readonly maxChainDepth?: number | undefined;
}

/**
 * AES-128 with SHA-256 comes first: processors have instructions for both, and a handshake costs a tenth less than with AES-256 and
 * SHA-384, which OpenSSL has first (docs/decisions/front-ends.md). Who can't do better than CHACHA20 gets that.
 */
const cipherOrder = ['TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'];
const ciphers = [...new Set([...cipherOrder, ...tls.DEFAULT_CIPHERS.split(':')])].join(':');

/** PEM texts. `authority` signs client certificates that count as verified (the cluster CA). */
export interface ServerTlsPems {
  readonly certificate: string;
  readonly key: string;
  readonly authority?: string | undefined;
  /** For listeners of users: clients are asked for a certificate of `authority`, and those that these lists (PEM) name don't count. */
  readonly users?: { readonly revocationLists: string | undefined } | undefined;
  /** 48 secret bytes, the same in all workers of a node, so that a session can be resumed at any of them. */
  readonly ticketKeys?: Buffer | undefined;
  /** Only this key exchange; whatever OpenSSL and the client agree on when absent. */
  readonly keyExchange?: 'X25519' | undefined;
  /** Certificates for clients that ask for one of these names (SNI); who asks for another, or none, gets the first certificate. */
  readonly virtualHosts?: readonly { readonly names: readonly string[]; readonly certificate: string; readonly key: string }[] | undefined;
}

/** Checks the PEMs (throws what OpenSSL says of a bad one) and makes the contexts once. TLS 1.2 is the oldest spoken (RFC 8996). */
export function createServerTls(pems: ServerTlsPems, own: ListenerTls = {}): ServerTls {
  const { users } = pems;
  const common = {
    minVersion: own.minVersion ?? 'TLSv1.2',
    ciphers: own.ciphers ?? ciphers,
    honorCipherOrder: true,
    // A session remembers that its certificate was good: it is resumed only where the same authorities and lists say so.
    sessionIdContext: users === undefined ? 'waybill' : createHash('sha256').update(`${pems.authority ?? ''}\0${users.revocationLists ?? ''}`).digest('hex').slice(0, 32),
    ...(users?.revocationLists === undefined ? {} : { crl: users.revocationLists }),
    ca: pems.authority ?? [], // never the system's authorities: whom they know is no node of ours
    ...(pems.keyExchange === undefined ? {} : { ecdhCurve: pems.keyExchange }),
    ...(pems.ticketKeys === undefined ? {} : { ticketKeys: pems.ticketKeys }),
  } as const;
  const options = { ...common, cert: pems.certificate, key: pems.key };
  const context = tls.createSecureContext(options);
  const { virtualHosts = [] } = pems;
  const requestCertificate = users === undefined || own.requestCertificate === 'no' ? 'no' : 'yes';
  const handshake = { isServer: true, secureContext: context, requestCert: requestCertificate === 'yes', rejectUnauthorized: false } as const;
  const rest = { maxChainDepth: own.maxChainDepth, varied: (other: ListenerTls) => createServerTls(pems, other) };
  if (virtualHosts.length === 0) return { options, context, requestCertificate, handshake, ...rest };
  const table = new NameTable(virtualHosts.map(({ names, certificate, key }) => ({ names, value: tls.createSecureContext({ ...common, cert: certificate, key }) })));
  const SNICallback: ChooseByName = (name, chosen) => chosen(null, table.find(name) ?? context);
  return { options: { ...options, SNICallback }, context, requestCertificate, handshake: { ...handshake, SNICallback }, ...rest };
}
