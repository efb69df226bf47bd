/** What is done to a storage whose node is stopped: `waybill storage repair --rebuild`, `waybill storage compact --index`, `waybill storage lost`, `waybill storage accept`. */
import { counted } from '../shared/base/counted.ts';
import { markAccepted, markLost } from './known-storages.ts';
import { lockDirectory } from './locked-directory.ts';
import { demandKnownFormat, rebuildIndex, shrinkIndex } from './storage/storage.ts';
import type { RebuildReport } from './storage/storage.ts';

export interface OfflineOutcome {
  readonly text: string;
  readonly code: number;
}

/** Of a rebuild that has found something lost. */
const lostCode = 2;

/** Throws `in-use` while a node has the storage, `storage-failure` where there is none, or one of a newer format. */
export async function rebuildStorage(directory: string, { json }: { readonly json?: boolean | undefined }): Promise<OfflineOutcome> {
  const report = await alone(directory, async () => rebuildIndex(directory, { signal: new AbortController().signal, report: json === true ? (): void => undefined : teller() }));
  const code = report.lost.length === 0 ? 0 : lostCode;
  return { code, text: json === true ? JSON.stringify({ ...report, lost: report.lost.map(({ at: _inside, ...finding }) => finding) }, null, 2) : textOf(report) };
}

/** Throws as `rebuildStorage`. */
export async function shrinkStorage(directory: string): Promise<OfflineOutcome> {
  const { before, after } = await alone(directory, async () => shrinkIndex(directory));
  return { code: 0, text: `${directory}: the index takes ${String(after)} bytes; it took ${String(before)}` };
}

/** Throws `bad-input` where there is something of a storage, or no folder. */
export function declareLost(directory: string): string {
  markLost(directory);
  return `${directory}: what was there, a storage or the queue, counts as lost. When the node that had it there starts it begins an empty one there; a storage that was attached, and that the configuration does not name, it forgets`;
}

/** Throws `bad-input` where there is no storage. */
export function acceptStorage(directory: string): string {
  markAccepted(directory);
  return `${directory}: when the node starts it goes on with the storage that is there now`;
}

async function alone<T>(directory: string, action: () => Promise<T>): Promise<T> {
  demandKnownFormat(directory); // a lock would make the folder
  const release = lockDirectory(directory, 'refuse');
  try {
    return await action();
  } finally {
    release();
  }
}

function textOf({ directory, packs, accounts, messages, unplaced, lost, before, damagedPacks }: RebuildReport): string {
  return [
    `${directory}: ${counted(messages, 'message')} of ${counted(accounts, 'account')}, from ${counted(packs, 'pack')}`,
    ...(unplaced === 0 ? [] : [`${String(unplaced)} of them have no note of their mailbox: they are in Lost and found of who they were written for`]),
    ...lost.map(({ account = '', mailbox = '', text }) => `  ${[account, mailbox, text].filter((word) => word !== '').join('  ')}`),
    ...damagedPacks.map((path) => `kept, since not all of it is understood: ${path}`),
    ...(before === undefined ? [] : [`the index that was there: ${before}`]),
    'Accounts are held until the node has started and found whose they are. Then run: waybill storage check',
  ].join('\n');
}

function teller(): (text: string) => void {
  let said = '';
  return (text) => {
    if (text !== said) process.stderr.write(`${text}\n`);
    said = text;
  };
}
