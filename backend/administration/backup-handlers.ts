/** Backups of this back-end over the admin API: made, listed, checked, deleted, and accounts brought back from them. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { backupOperations } from '../../cluster-config/admin/contract/backups.ts';
import type { NodeConfig } from '../../cluster-config/effective.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { listBackups, makeBackup, readBackup } from '../storage/storage.ts';
import type { BackupRecord, KeptFolder, Storage } from '../storage/storage.ts';
import { checksOf } from './check-views.ts';
import type { JobGround, JobResult, Jobs, JobView } from './jobs.ts';

export interface BackupGround {
  readonly config: NodeConfig;
  readonly storage: Storage;
  readonly queue: KeptFolder;
  readonly jobs: Jobs;
  /** Resolves when this node may make an account of that address. Throws who keeps it, or `unknown-user`. */
  readonly mayMake: (address: string) => Promise<void>;
}

type Restored = NonNullable<JobResult['restored']>[number];

export function backupHandlers(ground: BackupGround): readonly Handled[] {
  const { config, jobs, storage, queue } = ground;
  const { nodeName: node, clusterName: cluster } = config;
  const known = (name: string): { readonly folder: string; readonly name: string; readonly record: BackupRecord } => {
    const folder = folderOf(config);
    if (!listBackups(folder).some((backup) => backup.name === name)) throw new ApiRefusal(404, 'no-such-thing', { text: `${node} has no backup ${name}`, advice: 'waybill backup list shows them.' });
    return { folder, name, record: readBackup(folder, name) };
  };
  return [
    handled(backupOperations.listBackups, async () => Promise.resolve({ backups: listBackups(folderOf(config)).map(viewOf) })),
    handled(backupOperations.makeBackup, async ({ body, reply }): Promise<JobView> => {
      const name = body.name ?? `${node}-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
      const folder = folderOf(config);
      reply.note({ name });
      return jobs.begin({
        kind: 'backup', subject: node,
        work: async ({ report, signal }) => {
          const record = await makeBackup({ folder, name, cluster, node, queue, storages: storage.care.folders(), signal, report: (text, { bytes, of }) => report(text, { done: bytes, of }) });
          return { backup: viewOf({ name, record }) };
        },
      });
    }),
    handled(backupOperations.checkBackup, async ({ params }): Promise<JobView> => {
      const backup = known(params.backup);
      return jobs.begin({ kind: 'check', subject: `backup ${backup.name}`, work: async (job) => storage.care.inBackup(backup, async (folders) => checksOf(folders, job)) });
    }),
    handled(backupOperations.deleteBackup, async ({ params }) => {
      const { folder, name } = known(params.backup);
      const going = join(folder, `${randomBytes(6).toString('hex')}.part`); // from now on it is no backup
      renameSync(join(folder, name), going);
      rmSync(going, { recursive: true });
      return Promise.resolve({ name });
    }),
    handled(backupOperations.restoreBackup, async ({ params }): Promise<JobView> => {
      const backup = known(params.backup);
      return jobs.begin({
        kind: 'restore', subject: `backup ${backup.name}`,
        work: async (job) => {
          const restored: Restored[] = [];
          for (const address of await storage.care.accountsIn(backup)) restored.push(await tried(address, async () => restoreOne(ground, { backup, address, mailbox: undefined }, job)));
          return { restored };
        },
      });
    }),
    handled(backupOperations.restoreAccount, async ({ params, body, reply }): Promise<JobView> => {
      const backup = known(body.from);
      const address = params.address.toLowerCase();
      reply.note({ ...body });
      return jobs.begin({ kind: 'restore', subject: address, work: async (job) => ({ restored: [await restoreOne(ground, { backup, address, mailbox: body.mailbox }, job)] }) });
    }),
  ];
}

function folderOf({ storage, nodeName }: NodeConfig): string {
  const folder = storage.backupDirectory;
  if (folder === undefined) throw new Failure('bad-input', `${nodeName} has no folder for backups: storage.backupDirectory is to name one`);
  return folder;
}

function viewOf({ name, record }: { readonly name: string; readonly record: BackupRecord }): NonNullable<JobResult['backup']> {
  return { name, node: record.node, madeAt: record.madeAt, bytes: record.parts.reduce((sum, { bytes }) => sum + bytes, 0), parts: record.parts };
}

interface Wanted {
  readonly backup: { readonly folder: string; readonly name: string };
  readonly address: string;
  readonly mailbox: string | undefined;
}

async function restoreOne({ storage, mayMake }: BackupGround, { backup, address, mailbox }: Wanted, { report, signal }: JobGround): Promise<Restored> {
  if (storage.find(address).at === 'none') await mayMake(address);
  const { account, mailboxes } = await storage.care.restore(backup, { address, mailbox, signal, report: (text, { messages, of }) => report(`${address}: ${text}`, { done: messages, of }) });
  return { address, account, mailboxes: mailboxes.map((one) => ({ ...one, damaged: [...one.damaged] })) };
}

/** One account that can't be brought back does not keep the others away. */
async function tried(address: string, restore: () => Promise<Restored>): Promise<Restored> {
  try {
    return await restore();
  } catch (error) {
    if (!isFailure(error) || error.kind === 'shutting-down') throw error;
    return { address, account: 'failed', failure: error.message, mailboxes: [] };
  }
}
