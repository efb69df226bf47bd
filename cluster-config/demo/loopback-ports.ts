/** What the demo asks before anything starts: are all listeners on loopback, and are their ports free? */
import { probePort } from '../../shared/net/probe-port.ts';
import { activeListeners } from '../checks.ts';
import type { ClusterConfig } from '../load.ts';
import { splitHostAndPort } from '../values.ts';
import { DemoRefused } from './demo-refused.ts';
import type { DemoLayout } from './layout.ts';

/** The demo's passwords are public, so a configuration that listens beyond this machine is refused. @throws DemoRefused */
export function checkLoopback(config: ClusterConfig): void {
  const open = Object.values(config.nodes).filter((node) => !node.loopbackOnly);
  if (open.length === 0) return;
  throw new DemoRefused(
    `the demo runs on this machine only: loopbackOnly must stay true (${open.map((node) => node.nodeName).join(', ')}).\n`
    + 'For a real cluster make a configuration of your own and start its nodes with "waybill frontend" and "waybill backend".',
  );
}

/** @throws DemoRefused that names each port in use and what wanted it. */
export async function checkPorts(config: ClusterConfig, layout: DemoLayout): Promise<void> {
  const ofNodes = Object.values(config.nodes).flatMap((node) =>
    activeListeners(node.services, node.role).flatMap(({ path, listener }) => {
      const place = splitHostAndPort(listener.address);
      return place === undefined ? [] : [{ ...place, what: `${String(path[1])} of ${node.nodeName}` }];
    }));
  const ofDirectory = Object.entries({ ldap: layout.directory.ldap, ldaps: layout.directory.ldaps }).map(([what, port]) => ({ host: '127.0.0.1', port, what: `${what} of the directory` }));
  const places = [...ofDirectory, ...ofNodes];
  const states = await Promise.all(places.map(async ({ host, port }) => await probePort(host, port)));
  const taken = places.filter((_unused, index) => states[index] === 'in-use');
  if (taken.length === 0) return;
  const lines = taken.map(({ host, port, what }) => `  ${host}:${port}  ${what}`);
  throw new DemoRefused(`another program listens at ${taken.length === 1 ? 'a port' : 'ports'} of the demo:\n${lines.join('\n')}\nEnd it, or move the demo: --port-base N --data OTHER_DIR`);
}
