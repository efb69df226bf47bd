/** Writes what commands do by the routes of nodes to the same audit as what administrators do by operations of the API. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { ActLog } from '../admin/admin-server.ts';
import { newSessionId } from '../base/session-id.ts';
import { nodeIdentity } from '../tls/identity.ts';
import { auditEntry } from './audit-log.ts';
import type { AuditLog } from './audit-log.ts';
import type { Caller } from './caller.ts';
import { nodeCaller } from './who-asks.ts';

export function routeActs(audit: AuditLog, node: string): ActLog {
  return {
    check: async () => audit.check(),
    write: async (request, { what, facts, result, reason }) => audit.write(auditEntry({
      node, reference: newSessionId(), caller: callerOf(request), from: request.socket.remoteAddress ?? '', what, facts, result, reason,
    })),
  };
}

/** The route has checked that it is a node of this cluster. */
function callerOf(request: IncomingMessage): Caller | undefined {
  const identity = request.socket instanceof TLSSocket ? nodeIdentity(request.socket) : undefined;
  return identity === undefined ? undefined : nodeCaller(request, identity);
}
