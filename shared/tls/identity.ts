/** Reads who a node is from the certificate that the cluster CA gave it. */
import type { AnySocket } from '../net/connection.ts';
import { TLSSocket } from 'node:tls';

/** O = cluster, OU = role, CN = node. */
export interface NodeIdentity {
  readonly cluster: string;
  readonly role: 'frontend' | 'backend';
  readonly node: string;
}

/**
 * The node at the other end, or undefined when it showed no certificate, or one that the listener's authority did not
 * sign. Whether the configuration lists that node is the caller's question.
 */
export function nodeIdentity(socket: AnySocket): NodeIdentity | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const subject = socket.getPeerCertificate().subject;
  if (subject === undefined) return undefined;
  const { O: cluster, OU: role, CN: node } = subject;
  if (typeof cluster !== 'string' || typeof node !== 'string' || (role !== 'frontend' && role !== 'backend')) return undefined;
  return { cluster, role, node };
}
