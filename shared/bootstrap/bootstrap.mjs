/**
 * The first thing every npm script runs. Plain JavaScript without packages, for any Node from 18: brings the Node that
 * Waybill needs where the running one is older, installs the packages, builds the pages (WebMail, WebAdmin) when their sources changed,
 * and then becomes the program that was asked for. With everything in place it costs a few hundredths of a second.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The Node that is fetched where the running one is older than `neededMajor`: the registry ships its binary. */
const pinnedNode = '24.21.0';
const neededMajor = 24;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const runtimeFolder = join(root, '.runtime');
const compileCache = join(runtimeFolder, 'compile-cache');
/** What the pages are built from: WebMail, WebAdmin, and what they share. */
const uiSources = [['backend', 'webmail', 'ui'], ['cluster-config', 'web-admin', 'ui'], ['shared', 'page']].map((path) => join(root, ...path));
const uiOutputs = ['webmail', 'webadmin'].map((name) => join(root, 'dist', name));
const uiStamp = join(root, 'dist', 'pages.stamp');

/** What each mode runs, and whether it needs the pages. */
const modes = {
  demo: { program: 'waybill.ts', firstArguments: ['demo'], needsUi: true },
  run: { program: 'waybill.ts', firstArguments: [], needsUi: true },
  torture: { program: 'test/torture/torture.ts', firstArguments: [], needsUi: false },
  test: { program: 'test/run.ts', firstArguments: [], needsUi: true },
  bench: { program: 'test/bench/bench.ts', firstArguments: [], needsUi: true },
  check: { program: 'shared/bootstrap/check.ts', firstArguments: [], needsUi: false },
  pack: { program: 'shared/bootstrap/pack.ts', firstArguments: [], needsUi: true },
  deb: { program: 'shared/bootstrap/deb.ts', firstArguments: [], needsUi: true },
  screenshots: { program: 'test/screenshots/screenshots.ts', firstArguments: [], needsUi: true },
  dev: { program: 'shared/bootstrap/dev.ts', firstArguments: [], needsUi: true },
};

/** A problem the reader can act on: shown without a stack. */
class Stop extends Error {}

function progress(text) {
  process.stderr.write(`waybill: ${text}\n`);
}

/** Runs a program to its end with its output kept; resolves with exit code and output. */
function runQuietly(command, commandArguments, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout.on('data', (data) => { output += data; });
    child.stderr.on('data', (data) => { output += data; });
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** npm as it was called for us, else the one on PATH. */
async function npm(npmArguments) {
  const script = process.env.npm_execpath;
  const throughScript = script !== undefined && /npm-cli\.c?js$/.test(script) && existsSync(script);
  const command = throughScript ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = await runQuietly(command, [...(throughScript ? [script] : []), ...npmArguments]);
  if (result.code === 0) return;
  if (result.code === 127) throw new Stop('npm is not installed (or not on PATH); it comes with Node: https://nodejs.org');
  throw new Stop(explainNpm(npmArguments, result.output));
}

/** Says what went wrong in npm in one paragraph: the cause where it is a common one, else npm's own last lines. */
function explainNpm(npmArguments, output) {
  const said = output.split('\n').filter((line) => /^npm (error|ERR!) +\S/.test(line) && !/ at |A complete log/.test(line)).slice(0, 6).join('\n');
  const line = `npm ${npmArguments.join(' ')}`;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET/.test(output)) {
    return `the package registry can't be reached, and this first start needs it once.\n${said}\nWhen the network is back, start again.`;
  }
  if (/ENOSPC/.test(output)) return `the disk is full: "${line}" could not finish.`;
  if (/EACCES|EPERM|EROFS/.test(output)) return `"${line}" may not write in ${root}.\n${said}`;
  return `"${line}" failed.\n${said || output.slice(-2000)}`;
}

/** The node binary to go on with: the running one, or the pinned one (fetched once into .runtime/). */
async function provideNode() {
  if (Number(process.versions.node.split('.')[0]) >= neededMajor) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join(runtimeFolder, 'node_modules', name);
  const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(binary) && packageVersion(folder) === pinnedNode) return binary;
  progress(`this machine runs Node ${process.versions.node}; fetching Node ${pinnedNode} into .runtime/ (once, about 50 MB) ...`);
  mkdirSync(runtimeFolder, { recursive: true });
  await npm(['install', '--prefix', runtimeFolder, '--no-save', '--no-package-lock', '--ignore-scripts', '--loglevel=error', `${name}@${pinnedNode}`]);
  const tried = await runQuietly(binary, ['--version']);
  if (tried.code !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Stop(`Node ${pinnedNode} does not run here (${name}): ${tried.output.trim()}\nInstall Node ${neededMajor} or later yourself and start again.`);
  }
  return binary;
}

function packageVersion(folder) {
  const file = join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm keeps a record of what it installed, written at the
 * very end, so an interrupted installation does not count.
 */
function packagesInPlace() {
  const recordFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(recordFile)) return false;
  const installed = JSON.parse(readFileSync(recordFile, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const forThisMachine = (entry) => (entry.os ?? [process.platform]).includes(process.platform) && (entry.cpu ?? [process.arch]).includes(process.arch);
  const samePackages = Object.entries(wanted).every(([path, entry]) => path === '' || installed[path]?.version === entry.version
    || (installed[path] === undefined && (entry.optional === true || entry.devOptional === true)));
  return samePackages && Object.values(installed).every(forThisMachine);
}

async function providePackages() {
  if (packagesInPlace()) return;
  progress('installing the packages of package-lock.json into node_modules/ (once, about half a minute) ...');
  await npm(['ci', '--ignore-scripts', '--loglevel=error']);
}

/** One digest over everything the pages are built from. */
function digestOfUiSources() {
  const digest = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) digest.update(path.slice(root.length)).update('\0').update(readFileSync(path));
    }
  };
  for (const folder of uiSources.filter(existsSync)) visit(folder);
  return digest.digest('hex');
}

async function provideUi(environment) {
  if (!uiSources.some(existsSync)) return;
  const digest = digestOfUiSources();
  if (uiOutputs.every(existsSync) && existsSync(uiStamp) && readFileSync(uiStamp, 'utf8') === digest) return;
  const script = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts['build:ui'];
  if (script === undefined) return;
  progress('building the WebMail and WebAdmin pages ...');
  const built = await runQuietly(script, [], { shell: true, env: environment });
  if (built.code !== 0) throw new Stop(`the pages could not be built:\n${built.output.slice(-4000)}`);
  mkdirSync(dirname(uiStamp), { recursive: true });
  writeFileSync(uiStamp, digest);
}

/** Goes on as the program: inside this process where its Node will do, else in a child that gets our signals. */
async function become(node, program, programArguments, environment) {
  if (node === process.execPath) {
    Object.assign(process.env, environment);
    nodeModule.enableCompileCache?.(compileCache);
    process.argv = [node, program, ...programArguments];
    await import(pathToFileURL(program).href);
    return;
  }
  const child = spawn(node, [program, ...programArguments], { cwd: process.cwd(), stdio: 'inherit', env: environment });
  // Ctrl-C reaches the child by the terminal too: programs here take a second signal within moments as the same one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => { process.stderr.write(`waybill: ${error.message}\n`); process.exitCode = 1; });
  child.on('exit', (code, signal) => {
    if (signal === null) { process.exitCode = code ?? 1; return; }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** A signal to npm alone ends npm and leaves us behind, as a terminal that goes does: so we end as then. Ctrl-C comes to all by the terminal, and is nothing new when npm goes after it. */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGHUP');
  }, 1000).unref();
}

async function main() {
  const [modeName = '', ...rest] = process.argv.slice(2);
  const mode = Object.hasOwn(modes, modeName) ? modes[modeName] : undefined;
  if (mode === undefined) throw new Stop(`usage: node shared/bootstrap/bootstrap.mjs ${Object.keys(modes).join('|')} [arguments]`);
  const node = await provideNode();
  const environment = {
    ...process.env,
    PATH: [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache,
  };
  await providePackages();
  if (mode.needsUi) await provideUi(environment);
  if (mode !== modes.run) endWithNpm(); // to a node SIGHUP means something else
  await become(node, join(root, mode.program), [...mode.firstArguments, ...rest], environment);
}

main().catch((error) => {
  process.stderr.write(error instanceof Stop ? `waybill: ${error.message}\n` : `waybill: ${error.stack}\n`);
  process.exitCode = 1;
});
