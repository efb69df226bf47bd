/** Where this node asks the others of the cluster. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import type { AdminTarget } from '../shared/admin/admin-client.ts';

/** The admin APIs of the other back-ends. */
export function otherBackends(config: NodeConfig, tls: NodeTls): Readonly<Record<string, AdminTarget>> {
  return Object.fromEntries(
    Object.values(config.nodes).flatMap(({ name, role, host, endpoints }): [string, AdminTarget][] =>
      role !== 'backend' || name === config.nodeName || endpoints.admin === undefined ? [] : [[name, { host, port: endpoints.admin, tls: tls.toNode(name) }]],
    ),
  );
}

/** The admin APIs of the front-ends; undefined where one has none. */
export function frontendTargets(config: NodeConfig, tls: NodeTls): Readonly<Record<string, AdminTarget | undefined>> {
  const frontends = Object.values(config.nodes).filter(({ role }) => role === 'frontend');
  return Object.fromEntries(frontends.map(({ name, host, endpoints }) => [name, endpoints.admin === undefined ? undefined : { host, port: endpoints.admin, tls: tls.toNode(name) }]));
}
