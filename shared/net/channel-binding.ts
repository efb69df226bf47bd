/** What binds an authentication to the TLS connection it runs in. */
import { createHash, X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { AnySocket } from './connection.ts';

/** Whether TLS ends here: what a connection needs for channel bindings. */
export function endsTls(socket: AnySocket): boolean {
  return socket instanceof TLSSocket;
}

/** Whether the client has shown a certificate that the listener's authority signed, and has not revoked. */
export function showsCertificate(socket: AnySocket): boolean {
  return clientCertificate(socket) !== undefined;
}

/** That certificate. It is asked for itself, too, so that a session without one can never count, whatever OpenSSL says of it. */
export function clientCertificate(socket: AnySocket): X509Certificate | undefined {
  return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
}

/**
 * The channel bindings of a connection whose server we are, by their registered names: `tls-exporter` (RFC 9266) with TLS 1.3,
 * `tls-server-end-point` (RFC 5929 section 4) always. Empty without TLS, and where a balancer ended it.
 */
export function channelBindings(socket: AnySocket): ReadonlyMap<string, Buffer> {
  const bindings = new Map<string, Buffer>();
  if (!(socket instanceof TLSSocket) || socket.destroyed) return bindings;
  if (socket.getProtocol() === 'TLSv1.3') {
    bindings.set('tls-exporter', socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  }
  const own = socket.getCertificate();
  if (own !== null && 'raw' in own && Buffer.isBuffer(own.raw)) bindings.set('tls-server-end-point', endPoint(own.raw));
  return bindings;
}

/** The certificate's digest by the hash function of its signature; SHA-256 in the place of weaker ones, and where there is none. */
function endPoint(certificate: Buffer): Buffer {
  const signature = new X509Certificate(certificate).signatureAlgorithm ?? '';
  const strong = /sha-?(384|512)/i.exec(signature)?.[1];
  return createHash(strong === undefined ? 'sha256' : `sha${strong}`).update(certificate).digest();
}
