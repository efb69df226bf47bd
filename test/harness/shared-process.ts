/**
 * Which test files can share one process: more than half of what such a file costs is starting Node and loading modules. Not one that
 * starts processes or threads, changes or measures its process, or waits while it is loaded: its tests could come when all others have ended, and with them the run. Each is a suite there, so that its hooks are its own.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const imported = /(?:from|import) '(?<file>\.{1,2}\/[^']+\.ts)'/g;
const ofItsOwn = /node:(?:child_process|cluster|worker_threads|v8|vm|perf_hooks)'|'playwright-core'|process\.(?:env|exit|chdir|on|once|umask|kill|memoryUsage|resourceUsage|cpuUsage)\b|\bglobalThis\b|\bmock\b|\/metrics\.ts'|^(?:export )?(?:(?:const|let) [^\n]*= )?await /m;

/** A file that can't be loaded is a test that fails. */
const bring = `import { describe, test } from 'node:test';

const bring = (file) => describe(file, async () => {
  await import(file).catch((error) => test(file, () => { throw error; }));
});
`;

const moduleName = 'shared-tests-';

/** Whether it is one of the modules that `gather` writes. */
export function isSharedProcess(file: string): boolean {
  return basename(file).startsWith(moduleName);
}

/** The test file that an event is of: what happens to a whole file in a process of several bears the name of its suite, and the process as its file. */
export function testFileOf({ file, name }: { readonly file?: string; readonly name: string }): string | undefined {
  return file !== undefined && isSharedProcess(file) && name.startsWith('file:') ? fileURLToPath(name) : file;
}

/** By their names and what they import from the tests; `folder` is that of the tests. */
export class SharedProcess {
  readonly #folder: string;
  readonly #known = new Map<string, boolean>();

  constructor(folder: string) {
    this.#folder = folder + sep;
  }

  /** Whether the file, and whatever of the tests it imports, can be in a process with others. */
  takes(file: string): boolean {
    const known = this.#known.get(file);
    if (known !== undefined) return known;
    this.#known.set(file, true); // for files that import one another
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const others = [...text.matchAll(imported)].map(({ groups }) => join(dirname(file), groups?.['file'] ?? '')).filter((other) => other.startsWith(this.#folder));
    const answer = !ofItsOwn.test(text) && others.every((other) => this.takes(other));
    this.#known.set(file, answer);
    return answer;
  }

  /** Writes modules into the folder that bring them all into `processes` of them; answers these. Reporters go on to name each test's own file. */
  static gather(files: readonly string[], processes: number, folder: string): readonly string[] {
    mkdirSync(folder, { recursive: true });
    const each = Math.ceil(files.length / processes);
    return Array.from({ length: processes }, (_, index) => {
      const module = join(folder, `${moduleName}${String(index + 1)}.mjs`);
      const suites = files.slice(index * each, (index + 1) * each).map((file) => `bring('${pathToFileURL(file).href}');\n`);
      writeFileSync(module, [bring, ...suites].join(''));
      return module;
    });
  }
}
