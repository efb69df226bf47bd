/**
 * Whether a client's certificate is good, on a TLS connection that began with STARTTLS. Node's tls.Server judges those that it
 * accepts itself; for a socket that is wrapped by hand OpenSSL's verdict lies in its handle, where tls.Server reads it, too.
 */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** Sets `authorized` as tls.Server would. Call it when the handshake is over, where a certificate was asked for. */
export function judgePeer(socket: TLSSocket): void {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('verifyError' in handle) || typeof handle.verifyError !== 'function') return;
  const error: unknown = Reflect.apply(handle.verifyError, handle, []);
  // Without a certificate a resumed session has no error either.
  if ((error === null || error === undefined) && socket.getPeerX509Certificate() !== undefined) socket.authorized = true;
}

/** A certificate with more than so many authorities above it does not count: Node has no such parameter of its own. */
export function limitChain(socket: TLSSocket, maxDepth: number | undefined): void {
  if (maxDepth === undefined || !socket.authorized) return;
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (let depth = 0; depth <= maxDepth; depth += 1) {
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) return; // its root is reached
    certificate = issuer;
  }
  socket.authorized = false;
}
