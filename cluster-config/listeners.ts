/** Listener addresses as the services want them. */
import { parseNetwork } from '../shared/access/network.ts';
import { Failure } from '../shared/base/failure.ts';
import type { Balancers } from '../shared/net/gate.ts';
import type { NodeConfig } from './effective.ts';
import { splitHostAndPort } from './values.ts';

/** Address and port of a listener that passed the schema. */
export function hostAndPortOf(listener: { readonly address: string }): { readonly host: string; readonly port: number } {
  const parts = splitHostAndPort(listener.address);
  if (parts === undefined) throw new Failure('bad-input', `${listener.address} is not IP:PORT`);
  return parts;
}

/** Where a listener listens, and the load balancers in front of it. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly balancers: Balancers | undefined;
}

interface ConfiguredListener {
  readonly address: string;
  readonly trusted?: boolean;
  readonly proxyProtocolFrom?: readonly string[] | undefined;
}

/** Nodes reach each other without a balancer: the general list does not hold for trusted listeners. */
export function placeOf(config: Pick<NodeConfig, 'proxyProtocolFrom' | 'trustProxyTls'>, listener: ConfiguredListener): Place {
  const general = listener.trusted === true ? [] : config.proxyProtocolFrom;
  const networks = (listener.proxyProtocolFrom ?? general).map(parseNetwork);
  const balancers: Balancers = { networks, trustTls: config.trustProxyTls ? 'yes' : 'no' };
  return { ...hostAndPortOf(listener), balancers: networks.length === 0 ? undefined : balancers };
}

/** Where the node's admin API listens; nowhere when it is switched off. */
export function adminListeners(config: NodeConfig): Place[] {
  const { admin } = config.services;
  return admin.enable ? admin.listeners.map((listener) => placeOf(config, { ...listener, trusted: true })) : [];
}
