/** The embedded directory for tests, on free ports in a temporary folder. */
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { startDirectory } from '../../shared/directory/directory.ts';
import { keepingLog } from './people.ts';
import { slapdBase } from './slapd.ts';

export interface EmbeddedDirectory {
  readonly uri: string;
  readonly port: number;
  readonly file: string;
  readonly baseDn: string;
  readonly adminDn: string;
  readonly adminPassword: string;
  stop(): Promise<void>;
}

/** Starts it with these entries; base, administrator and password are those of `startSlapd`. */
export async function startEmbeddedDirectory(options: { readonly ldif: string }): Promise<EmbeddedDirectory> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'directory-'));
  const file = path.join(folder, 'directory.ldif');
  await fs.writeFile(file, options.ldif);
  const directory = await startDirectory({ host: '127.0.0.1', port: 0, ...slapdBase, file, log: keepingLog().log });
  return {
    uri: `ldap://127.0.0.1:${String(directory.port)}`, port: directory.port, file, ...slapdBase,
    stop: async () => {
      await directory.close();
      await fs.rm(folder, { recursive: true, force: true });
    },
  };
}
