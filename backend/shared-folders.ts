/** Wires folders that users share: what the configuration says of them, and how back-ends ask each other. */
import { publicOwnersOf } from '../cluster-config/domain-settings.ts';
import type { NodeConfig } from '../cluster-config/effective.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import { Failure } from '../shared/base/failure.ts';
import { connectTo, TlsSessions } from '../shared/net/connect.ts';
import type { Accounts } from './accounts/accounts.ts';
import { otherBackends } from './other-nodes.ts';
import { OthersFolders } from './sharing/others-folders.ts';
import { Sharing } from './sharing/sharing.ts';
import type { OtherNodes } from './sharing/sharing.ts';
import type { Storage } from './storage/storage.ts';

/** How long another back-end may take to be connected to. */
const connectTimeoutMs = 5000;

export interface SharingGround {
  readonly config: NodeConfig;
  readonly tls: NodeTls;
  readonly storage: Storage;
  readonly accounts: Accounts;
}

export function openSharing({ config, tls, storage, accounts }: SharingGround): Sharing {
  const { otherUsersNamespace: otherUsers, publicNamespace: publicFolders } = config.services.imap;
  return new Sharing({
    storage, accounts,
    nodeName: config.nodeName,
    namespaces: { otherUsers, publicFolders },
    publicOwnerOf: publicOwnersOf(config),
    others: otherNodes(config, tls),
  });
}

function otherNodes(config: NodeConfig, tls: NodeTls): OtherNodes {
  const folders = new OthersFolders(otherBackends(config, tls));
  const sessions = new TlsSessions();
  return {
    sharedWith: async (visitor) => folders.sharedWith(visitor),
    connect: async (node) => {
      const { host, endpoints: { imap: port } } = config.nodes[node] ?? { host: '', endpoints: {} };
      if (port === undefined) throw new Failure('backend-unavailable', 'the node that keeps this folder has no IMAP for other nodes');
      return connectTo({ host, port, tls: tls.toNode(node), timeoutMs: connectTimeoutMs, sessions });
    },
  };
}
