/** What a back-end does of the admin API (the face of this room): its accounts, moves to it, its storages and their backups, its queue. */
import type { DirectoryAccess } from '../../cluster-config/directory-access.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { AccountMoves } from '../account-move/account-move.ts';
import type { AccountAdministration, Accounts } from '../accounts/accounts.ts';
import type { NodeConfig } from '../../cluster-config/effective.ts';
import type { NodeTls } from '../../cluster-config/node-tls.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Notices } from '../../shared/service/notices.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import type { Processing } from '../processing/processing.ts';
import type { Sharing } from '../sharing/sharing.ts';
import type { KeptFolder, Storage } from '../storage/storage.ts';
import { IndexCare } from '../text-index/text-index.ts';
import { accountLifeHandlers } from './account-life-handlers.ts';
import { accountHandlers } from './account-handlers.ts';
import { backupHandlers } from './backup-handlers.ts';
import type { CompactionTerms } from './compaction.ts';
import { folderRightsHandlers } from './folder-rights-handlers.ts';
import { jobHandlers } from './job-handlers.ts';
import type { Jobs } from './jobs.ts';
import { moveHandlers } from './move-handlers.ts';
import { protocolTraceHandlers } from './protocol-trace-handlers.ts';
import { ProtocolTraces } from './protocol-traces.ts';
import { queueHandlers } from './queue-handlers.ts';
import { searchIndexHandlers } from './search-index-handlers.ts';
import { storageHandlers } from './storage-handlers.ts';
import type { StorageView } from './storage-handlers.ts';
import { storageListHandlers } from './storage-list-handlers.ts';
import type { StorageMemory } from './storage-list-handlers.ts';
import type { StorageChanges } from './storage-changes.ts';

export type { StorageMemory } from './storage-list-handlers.ts';
export { WorkerStorageChanges } from './storage-changes.ts';
export { tidyPacks } from './compaction.ts';
export { storagesForReport } from './storage-handlers.ts';

export interface AdministrationGround {
  readonly config: NodeConfig;
  readonly tls: Pick<NodeTls, 'toNode'>;
  readonly storage: Storage;
  readonly accounts: Accounts;
  readonly administration: AccountAdministration;
  readonly sharing: Sharing;
  /** The admin APIs of the front-ends; undefined where one has none. */
  readonly frontends: Readonly<Record<string, AdminTarget | undefined>>;
  readonly moves: AccountMoves;
  readonly directory: DirectoryAccess;
  readonly processing: Processing;
  readonly siblings: Siblings;
  readonly notices: Notices;
  readonly log: Logger;
  readonly jobs: Jobs;
  /** Resolves when this node may make an account of that address. Throws who keeps it, or `unknown-user`. */
  readonly mayMake: (address: string) => Promise<void>;
  readonly memory: StorageMemory;
  readonly changes: StorageChanges;
}

/** The storages of the node. */
export function storagesOf({ config, storage, memory, changes }: Pick<AdministrationGround, 'config' | 'storage' | 'memory' | 'changes'>): StorageView {
  return { storage, memory, changes, reserveBytes: config.storage.reserveMegabytes * 1024 * 1024 };
}

/** When files of messages are rewritten, as the configuration says. */
export function compactionTermsOf({ storage }: NodeConfig): CompactionTerms {
  return { deadPercent: storage.compactDeadPercent, bytesPerSecond: storage.compactMegabytesPerSecond * 1024 * 1024 };
}

export interface BackendAdministration {
  readonly handlers: readonly Handled[];
  /** For nodes. */
  readonly routes: readonly AdminRoute[];
}

export function backendAdministration(ground: AdministrationGround): BackendAdministration {
  const { config, moves, siblings, processing, jobs } = ground;
  const queue: KeptFolder = processing.kept;
  const traces = new ProtocolTraces(ground);
  const handlers = [
    ...accountHandlers({ ...ground, nodeName: config.nodeName, keepDays: config.accounts }),
    ...accountLifeHandlers({ ...ground, nodeName: config.nodeName }),
    ...folderRightsHandlers(ground),
    ...moveHandlers(moves, siblings),
    ...searchIndexHandlers({ jobs, searchIndex: new IndexCare(ground.storage, { clusterName: config.clusterName, nodeName: config.nodeName, directories: ground.storage.care.folders().map(({ directory }) => directory), indexed: config.storage.textIndex }) }),
    ...storageHandlers({ ...storagesOf(ground), queue, jobs, lockSeconds: config.storage.lockSeconds, compaction: compactionTermsOf(config) }),
    ...storageListHandlers({ ...ground, cluster: config.clusterName, node: config.nodeName }),
    ...backupHandlers({ ...ground, queue }),
    ...jobHandlers(jobs),
    ...queueHandlers(processing),
    ...protocolTraceHandlers({ ...ground, traces }),
  ];
  return { handlers, routes: [traces.route()] };
}
