/** Listener addresses as the services want them. */
import { Failure } from '../shared/base/failure.ts';
import type { NodeConfig } from './effective.ts';
import { splitHostAndPort } from './values.ts';

/** Address and port of a listener that passed the schema. */
export function hostAndPortOf(listener: { readonly address: string }): { readonly host: string; readonly port: number } {
  const parts = splitHostAndPort(listener.address);
  if (parts === undefined) throw new Failure('bad-input', `${listener.address} is not IP:PORT`);
  return parts;
}

/** Where the node's admin API listens; nowhere when it is switched off. */
export function adminListeners(config: NodeConfig): { readonly host: string; readonly port: number }[] {
  const { admin } = config.services;
  return admin.enable ? admin.listeners.map(hostAndPortOf) : [];
}
