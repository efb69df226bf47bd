/** Looks into a storage or queue that nobody uses: whether index and packs agree in every number, and every byte has its checksum. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { checkQueue } from '../../backend/processing/processing.ts';
import { checkStorage, openEnvironment, openPacks } from '../../backend/storage/storage.ts';
import { storageKind } from '../../backend/storage/directory-record.ts';

/** Throws when anything is wrong, by the check that administrators have. */
export async function audit(directory: string): Promise<void> {
  await auditBy(checkStorage, directory);
}

export async function auditQueue(directory: string): Promise<void> {
  await auditBy(checkQueue, directory);
}

async function auditBy(check: typeof checkStorage, directory: string): Promise<void> {
  const environment = openEnvironment(join(directory, 'index'));
  const packs = openPacks(join(directory, 'packs'), { environment });
  try {
    const { findings } = await check({ directory, kind: storageKind, environment, packs }, { report: () => undefined, signal: new AbortController().signal });
    assert.deepEqual(findings, []);
  } finally {
    await packs.close();
    await environment.close();
  }
}
