/** The bootstrap in a checkout of its own, with an npm that only notes what it was asked: nothing is fetched here. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

const bootstrap = join(import.meta.dirname, '..', '..', '..', 'shared', 'bootstrap', 'bootstrap.mjs');
const lock = { packages: { '': {}, 'node_modules/needed': { version: '1.0.0' }, 'node_modules/elsewhere': { version: '1.0.0', optional: true, os: ['beos'] } } };

/** Notes its arguments, then does what each kind of installation leaves behind; or fails as without network. */
const fakeNpm = `
const { appendFileSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } = require('node:fs');
appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
if (process.env.FAKE_NPM_FAILS) { console.error('npm error code ENOTFOUND\\nnpm error network request failed'); process.exit(1); }
if (process.argv[2] === 'ci') {
  mkdirSync('node_modules', { recursive: true });
  const { packages } = JSON.parse(require('node:fs').readFileSync('package-lock.json', 'utf8'));
  const { '': _root, 'node_modules/elsewhere': _elsewhere, ...installed } = packages;
  writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: installed }));
} else {
  const [name, version] = process.argv.at(-1).split('@');
  const folder = '.runtime/node_modules/' + name;
  mkdirSync(folder + '/bin', { recursive: true });
  writeFileSync(folder + '/package.json', JSON.stringify({ version }));
  symlinkSync(process.execPath, folder + '/bin/node');
}`;

const program = `
process.on('SIGTERM', () => { console.log('told to stop'); process.exit(7); });
process.on('SIGHUP', () => { console.log('left behind'); process.exit(7); });
console.log(JSON.stringify(process.argv.slice(2)));
if (process.argv.includes('wait')) setInterval(() => undefined, 1000);
if (process.argv.includes('fail')) process.exitCode = 3;`;

interface Checkout {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** What npm was asked so far. */
  readonly npmCalls: () => Promise<readonly string[]>;
}

async function checkout(context: TestContext): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-bootstrap-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  await mkdir(join(folder, 'shared', 'bootstrap'), { recursive: true });
  await copyFile(bootstrap, join(folder, 'shared', 'bootstrap', 'bootstrap.mjs'));
  await writeFile(join(folder, 'npm-cli.js'), fakeNpm);
  await writeFile(join(folder, 'waybill.ts'), program);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { 'build:ui': 'echo built >> builds && mkdir -p dist/webmail dist/webadmin && ! grep -q wrong backend/webmail/ui/page.ts' } }));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  const { NODE_OPTIONS: _nodeOptions, NODE_TEST_CONTEXT: _context, ...environment } = process.env;
  return {
    folder,
    environment: { ...environment, npm_execpath: join(folder, 'npm-cli.js') },
    npmCalls: async () => (existsSync(join(folder, 'npm-calls')) ? (await readFile(join(folder, 'npm-calls'), 'utf8')).trim().split('\n') : []),
  };
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly said: string;
}

async function run({ folder, environment }: Checkout, parameters: readonly string[], onOutput: (kill: (signal: NodeJS.Signals) => void) => void = () => undefined): Promise<Outcome> {
  const child = spawn(process.execPath, ['shared/bootstrap/bootstrap.mjs', ...parameters], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    onOutput((signal) => child.kill(signal));
  });
  child.stderr.on('data', (data: Buffer) => { said += data.toString(); });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, said };
}

test('the packages are installed once, and again when the lock file asks for others', async (context) => {
  const place = await checkout(context);
  const first = await run(place, ['run', 'one', 'two']);
  assert.deepEqual(JSON.parse(first.output), ['one', 'two']);
  assert.match(first.said, /installing the packages/);
  const second = await run(place, ['run']);
  assert.equal(second.said, '');
  assert.deepEqual(await place.npmCalls(), ['ci --ignore-scripts --loglevel=error']);
  await writeFile(join(place.folder, 'package-lock.json'), JSON.stringify({ packages: { ...lock.packages, 'node_modules/needed': { version: '1.0.1' } } }));
  await run(place, ['run']);
  assert.equal((await place.npmCalls()).length, 2);
});

test('an installation that was cut off is done again', async (context) => {
  const place = await checkout(context);
  await mkdir(join(place.folder, 'node_modules', 'needed'), { recursive: true });
  await run(place, ['run']);
  assert.equal((await place.npmCalls()).length, 1);
});

test('packages installed for another kind of machine are replaced', async (context) => {
  const place = await checkout(context);
  await mkdir(join(place.folder, 'node_modules'));
  const packages = { 'node_modules/needed': { version: '1.0.0' }, 'node_modules/elsewhere': { version: '1.0.0', optional: true, os: ['beos'] } };
  await writeFile(join(place.folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
  await run(place, ['run']);
  assert.equal((await place.npmCalls()).length, 1);
});

test('without network it says so and ends with an error', async (context) => {
  const place = await checkout(context);
  const outcome = await run({ ...place, environment: { ...place.environment, FAKE_NPM_FAILS: '1' } }, ['demo']);
  assert.equal(outcome.code, 1);
  assert.match(outcome.said, /registry can't be reached/);
  assert.equal(outcome.output, '');
});

test('the exit code of the program is that of the command', async (context) => {
  const place = await checkout(context);
  assert.equal((await run(place, ['run', 'fail'])).code, 3);
  assert.equal((await run(place, ['nonsense'])).code, 1);
});

/** Makes the process believe that its Node is an old one. */
async function pretendOldNode(place: Checkout): Promise<Checkout> {
  const file = join(place.folder, 'pretend-old.cjs');
  await writeFile(file, 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });');
  return { ...place, environment: { ...place.environment, NODE_OPTIONS: `--require=${file}` } };
}

test('an old Node fetches the pinned one once and goes on with it; signals and exit code pass through', async (context) => {
  const place = await pretendOldNode(await checkout(context));
  const first = await run(place, ['run', 'wait'], (kill) => { kill('SIGTERM'); });
  assert.match(first.said, /this machine runs Node 20\.1\.0; fetching Node 24/);
  assert.match(first.output, /told to stop/);
  assert.equal(first.code, 7);
  const [fetched = '', packages] = await place.npmCalls();
  assert.match(fetched, /^install --prefix .*\.runtime .*node-\w+-\w+@24\.\d+\.\d+$/);
  assert.match(packages ?? '', /^ci /);
  const second = await run(place, ['run', 'fail']);
  assert.equal(second.said, '');
  assert.equal(second.code, 3);
  assert.equal((await place.npmCalls()).length, 2);
});

test('the pages are built when their sources changed, and a failure is told', async (context) => {
  const place = await checkout(context);
  const page = join(place.folder, 'backend', 'webmail', 'ui', 'page.ts');
  await mkdir(join(place.folder, 'backend', 'webmail', 'ui'), { recursive: true });
  await writeFile(page, 'one');
  const builds = async (): Promise<number> => (await readFile(join(place.folder, 'builds'), 'utf8')).trim().split('\n').length;
  assert.match((await run(place, ['run'])).said, /building the WebMail and WebAdmin pages/);
  assert.equal((await run(place, ['run'])).said, '');
  assert.equal(await builds(), 1);
  await writeFile(page, 'wrong');
  const failed = await run(place, ['run']);
  assert.equal(failed.code, 1);
  assert.match(failed.said, /could not be built/);
  await writeFile(page, 'two');
  assert.equal((await run(place, ['run'])).code, 0);
  assert.equal(await builds(), 3);
});

test('when npm is ended by a signal of its own the program hears of it; who runs a node, or starts it without npm, does not', { timeout: 60_000 }, async (context) => {
  const place = await checkout(context);
  const leave = async (mode: string, more: NodeJS.ProcessEnv): Promise<{ readonly heard: Promise<string>; readonly end: () => void }> => {
    const parent = spawn(process.execPath, ['-e', `require('node:child_process').spawn(process.execPath, ['shared/bootstrap/bootstrap.mjs', '${mode}', 'wait'], { stdio: 'inherit' }).on('spawn', function () { console.log(this.pid); })`], { cwd: place.folder, env: { ...place.environment, ...more }, stdio: ['ignore', 'pipe', 'ignore'] });
    const said = { text: '' };
    const closed = new Promise<string>((resolve) => { parent.stdout.on('close', () => resolve(said.text)); });
    const end = (): void => { process.kill(Number(/^\d+/m.exec(said.text)?.[0]), 'SIGTERM'); };
    await new Promise<void>((resolve) => {
      parent.stdout.on('data', (data: Buffer) => {
        said.text += data.toString();
        if (said.text.includes('"wait"')) resolve();
      });
    });
    parent.kill('SIGKILL');
    return { heard: closed, end };
  };
  const others = [await leave('run', { npm_lifecycle_event: 'waybill' }), await leave('demo', { npm_lifecycle_event: undefined })];
  assert.match(await (await leave('demo', { npm_lifecycle_event: 'start' })).heard, /left behind/);
  for (const { end } of others) end();
  for (const { heard } of others) assert.match(await heard, /told to stop/);
});
