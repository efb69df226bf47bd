/**
 * The program as few files. A node loads some hundred modules in each of its processes, and the tests start hundreds of nodes: out of
 * a bundle they start in half of the time. Each module is told that it lies where its source lies, so it finds what it looks for
 * beside itself; a thread or process that it starts from a file of its own runs the source.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import type { Plugin } from 'rolldown';
import { testProcesses, testProcessFolder, testProcessSource } from './program-file.ts';

const root = join(import.meta.dirname, '..', '..');

/** Binaries, what starts threads from files of its own, and ldapjs, which refuses all names (DN) out of a bundle. */
const apart = ['lmdb', '@node-rs/argon2', 'pino', 'ldapjs'];

const ownPlaces: Plugin = {
  name: 'own-places',
  transform: {
    filter: { id: /^(?!.*node_modules).*\.ts$/, code: /import\.meta\.(?:dirname|filename|url)/ },
    handler: (code, id) => code
      .replaceAll('import.meta.dirname', JSON.stringify(join(id, '..')))
      .replaceAll('import.meta.filename', JSON.stringify(id))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)),
  },
};

/** Whoever imports `node:http` gets all that it has, undici among it: 50 ms of a processor for what no node uses. */
const leanHttp: Plugin = {
  name: 'lean-http',
  resolveId: { filter: { id: /^(?:node:)?http$/ }, handler: (_id, _importer, { kind }) => (kind === 'require-call' ? null : leanHttpId) },
  load: { filter: { id: /lean-http$/ }, handler: () => `const http = process.getBuiltinModule('node:http');\nexport default http;\nexport const { ${plainNames(http).join(', ')} } = http;\n` },
};
const leanHttpId = '\0lean-http';

/** Those that need not be asked for. */
function plainNames(module: object): readonly string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(module)).flatMap(([name, { get }]) => (get === undefined ? [name] : []));
}

/** Loads all parts but those that would run, so that they get into the compile cache: nodes of tests die without writing to it. */
const loading = 'for (const file of process.argv.slice(1)) await import(file); process.exit(0)';

async function bundleInto(folder: string, input: Readonly<Record<string, string>>): Promise<void> {
  const bundle = await rolldown({ input: { ...input }, platform: 'node', external: apart, plugins: [ownPlaces, leanHttp], logLevel: 'warn' });
  await bundle.write({ dir: folder, format: 'esm', cleanDir: true });
  await bundle.close();
}

/**
 * Makes it anew, and beside it processes of the tests; answers its file.
 * @param name of its folder: whoever runs nodes for hours has one of his own, which no run of all tests makes anew below them
 */
export async function bundleProgram(name = 'bundle'): Promise<string> {
  const folder = join(root, '.runtime', name);
  await bundleInto(folder, { waybill: join(root, 'waybill.ts') });
  const besides = testProcessFolder(folder);
  await bundleInto(besides, Object.fromEntries(testProcesses.map((name) => [name, testProcessSource(name)])));
  const parts = [folder, besides].flatMap((each) => readdirSync(each).filter((name) => name.endsWith('.js') && name !== 'waybill.js').map((name) => join(each, name)));
  spawnSync(process.execPath, ['--disable-warning=DEP0060', '--input-type=module', '--eval', loading, ...parts]);
  return join(folder, 'waybill.js');
}
