/** The package as a folder, `dist/package`: the program compiled, the pages, the documents, and which packages of others it needs. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
/** Where packages come to lie. */
export const outputFolder = join(root, 'dist');
export const packageFolder = join(outputFolder, 'package');
/** The systemd units and examples that are packed as they are. */
export const packagingFolder = join(root, '.packaging');

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly type: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Of package-lock.json, what matters here. */
interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly version?: string }>>;
}

export function manifest(): PackageManifest {
  return readJson('package.json') as PackageManifest;
}

/** Runs a program to its end, its output ours. Throws when it fails. */
export function run(program: string, words: readonly string[], folder: string = root): void {
  const { status, error } = spawnSync(program, words, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} failed`, { cause: error });
}

/** Makes `dist/package` anew. The pages have been built by the bootstrap. */
export function stagePackage(): void {
  rmSync(packageFolder, { recursive: true, force: true });
  run(process.execPath, ['node_modules/@typescript/native/bin/tsc', '-p', '.config/tsconfig.package.json']);
  for (const page of ['webmail', 'webadmin']) cpSync(join(outputFolder, page), join(packageFolder, 'dist', page), { recursive: true });
  for (const document of ['README.md', 'docs']) cpSync(join(root, document), join(packageFolder, document), { recursive: true });
  cpSync(packagingFolder, join(packageFolder, 'packaging'), { recursive: true });
  const command = join(packageFolder, 'shared', 'bootstrap', 'command.mjs');
  cpSync(join(root, 'shared', 'bootstrap', 'command.mjs'), command);
  chmodSync(command, 0o755);
  const { name, version, description, license, type, engines, dependencies } = manifest();
  const files = ['waybill.js', 'frontend', 'backend', 'shared', 'cluster-config', 'dist', 'docs', 'packaging', 'npm-shrinkwrap.json'];
  const packed = { name, version, description, license, type, engines, bin: { waybill: 'shared/bootstrap/command.mjs' }, files, dependencies };
  writeJson('package.json', packed);
  writeJson('npm-shrinkwrap.json', shrinkwrap({ name, version, license, engines, dependencies, bin: packed.bin }));
}

/** package-lock.json without what only developers need: npm installs exactly these versions, also of what our packages need. */
function shrinkwrap(own: Readonly<Record<string, unknown>>): object {
  const { packages, ...lock } = readJson('package-lock.json') as Lock;
  const needed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  return { ...lock, packages: Object.fromEntries([['', own], ...needed]) };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

function writeJson(file: string, value: object): void {
  writeFileSync(join(packageFolder, file), `${JSON.stringify(value, null, 2)}\n`);
}
