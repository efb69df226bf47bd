/** A folder with a bootstrap file for tests that publish without running nodes. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TestContext } from 'node:test';
import { parseBootstrap } from '../../cluster-config/publishing/bootstrap.ts';
import type { Bootstrap } from '../../cluster-config/publishing/bootstrap.ts';

export interface BootstrapOptions {
  readonly uris: readonly string[];
  readonly writeUri: string;
  readonly admin: readonly [dn: string, password: string];
  readonly entry: string;
  /** Further lines under `directory`. */
  readonly more?: readonly string[];
}

export interface BootstrapFolder {
  readonly folder: string;
  readonly file: string;
  readonly bootstrap: Bootstrap;
}

/** It polls every second; the node is `be1`. */
export async function bootstrapFolder(context: TestContext, { uris, writeUri, admin, entry, more = [] }: BootstrapOptions): Promise<BootstrapFolder> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'bootstrap-'));
  context.after(async () => fs.rm(folder, { recursive: true, force: true }));
  await fs.writeFile(path.join(folder, 'password'), `${admin[1]}\n`);
  const identity = [`bindDn: "${admin[0]}"`, 'bindPassword: { file: password }'];
  const text = [
    'source: directory', 'node: be1', 'keep: kept', 'directory:',
    ...[`uris: ${JSON.stringify(uris)}`, ...identity, `entry: "${entry}"`, 'pollSeconds: 1', 'timeoutSeconds: 2', ...more, `write: { uri: "${writeUri}", ${identity.join(', ')} }`].map((line) => `  ${line}`),
    '',
  ].join('\n');
  const file = path.join(folder, 'bootstrap.yaml');
  await fs.writeFile(file, text);
  const bootstrap = parseBootstrap(text, file);
  assert.ok(bootstrap !== undefined);
  return { folder, file, bootstrap };
}
