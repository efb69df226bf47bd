/** Reads who a node is from the certificate that the cluster CA gave it. */
import { LRUCache } from 'lru-cache';
import type { AnySocket } from '../net/connection.ts';
import { TLSSocket } from 'node:tls';

/** O = cluster, OU = role, CN = node. */
export interface NodeIdentity {
  readonly cluster: string;
  readonly role: 'frontend' | 'backend';
  readonly node: string;
}

/** Who signed a client certificate: the cluster's authority, or one that names administrators only. */
export type CertificateSigner = 'cluster' | 'administrators';

/**
 * The node at the other end, or undefined when it showed no certificate, or one that the listener's authority did not
 * sign. Whether the configuration lists that node is the caller's question.
 */
export function nodeIdentity(socket: AnySocket): NodeIdentity | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
  if (fingerprint === undefined) return undefined;
  const known = identities.get(fingerprint);
  if (known !== undefined) return known;
  const identity = readIdentity(socket);
  if (identity !== undefined) identities.set(fingerprint, identity);
  return identity;
}

/** What certificates say, by their SHA-256: reading one takes 0.16 ms, recognising it 0.006. */
const identities = new LRUCache<string, NodeIdentity>({ max: 1000 });

function readIdentity(socket: TLSSocket): NodeIdentity | undefined {
  const subject = socket.getPeerCertificate().subject;
  if (subject === undefined) return undefined;
  const { O: cluster, OU: role, CN: node } = subject;
  if (typeof cluster !== 'string' || typeof node !== 'string' || (role !== 'frontend' && role !== 'backend')) return undefined;
  return { cluster, role, node };
}
