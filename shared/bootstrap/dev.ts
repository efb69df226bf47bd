/** `npm run dev`: runs the demo, and runs it again whenever a source changes; the pages are rebuilt first. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { developmentCommand } from './development-command.ts';

const root = join(import.meta.dirname, '..', '..');
const folders = ['frontend', 'backend', 'shared', 'cluster-config'];
/** Editors and checkouts touch several files at once. */
const settleMs = 300;

let demo: ChildProcess | undefined;
let timer: NodeJS.Timeout | undefined;
let leaving = false;

const { args: ofDemo } = developmentCommand('npm run dev --', 'The demo cluster, started again whenever a source changes.')
  .argument('[options...]', 'of the demo: `npm run waybill -- demo --help`')
  .allowUnknownOption()
  .parse();

/** Starts the demo through the bootstrap, which builds what has to be built. */
function start(): void {
  demo = spawn(process.execPath, ['shared/bootstrap/bootstrap.mjs', 'demo', ...ofDemo], { cwd: root, stdio: 'inherit' });
  demo.on('exit', (code) => {
    demo = undefined;
    if (leaving) process.exit(code ?? 0);
  });
}

async function restart(what: string): Promise<void> {
  process.stdout.write(`\n${what} changed: the demo starts again\n`);
  const running = demo;
  if (running !== undefined) {
    const over = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    await over;
  }
  if (!leaving) start();
}

for (const folder of folders) {
  watch(join(root, folder), { recursive: true }, (_event, name) => {
    if (name === null || !/\.(ts|tsx|css|html|mjs)$/.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      restart(join(folder, name)).catch((error: unknown) => {
        process.stderr.write(`waybill: ${String(error)}\n`);
        process.exit(1);
      });
    }, settleMs);
  });
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    leaving = true;
    if (demo === undefined) process.exit(0);
    demo.kill(signal);
  });
}
start();
