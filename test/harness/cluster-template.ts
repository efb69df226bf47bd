/** What the clusters of a run of all tests have alike: keys, certificates and the administrator's hash, which take a second of a processor to make. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { furnishDataFolder } from '../../cluster-config/demo/data-folder.ts';
import { demoLayout, lowestPortBase } from '../../cluster-config/demo/layout.ts';
import type { DemoLayout } from '../../cluster-config/demo/layout.ts';

/** Names the folder; clusters make their own where it is not set. */
export const templateVariable = 'WAYBILL_TEST_TEMPLATE';

/** Makes it anew, for all nodes that tests know; answers its folder. */
export async function makeClusterTemplate(): Promise<string> {
  const folder = join(import.meta.dirname, '..', '..', '.runtime', 'cluster-template');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await furnishDataFolder(demoLayout(folder, lowestPortBase, 3), () => undefined);
  return folder;
}

/** Puts it into the empty folder of a cluster, to be furnished with the rest. */
export function copyClusterTemplate({ files }: DemoLayout): void {
  const template = process.env[templateVariable];
  if (template === undefined) return;
  const from = demoLayout(template, lowestPortBase).files;
  cpSync(dirname(from.authority.certificate), dirname(files.authority.certificate), { recursive: true });
  mkdirSync(dirname(files.administratorHash), { recursive: true, mode: 0o700 });
  cpSync(from.administratorHash, files.administratorHash);
}
