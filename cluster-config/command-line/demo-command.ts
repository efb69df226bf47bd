/** `waybill demo`: runs the demo cluster until Ctrl-C. */
import { startDemo } from '../demo/demo.ts';
import { DemoRefused } from '../demo/demo-refused.ts';
import { highestPortBase, lowestPortBase } from '../demo/layout.ts';

export interface DemoCommandOptions {
  readonly data: string;
  readonly portBase: number;
}

/** A second Ctrl-C counts as "at once" only after so long: one key press can arrive by two ways. A terminal or npm that goes meanwhile is in no hurry. */
const impatientAfterMs = 1000;

/** The port base that a user gave. @throws DemoRefused */
export function readPortBase(text: string): number {
  const base = Number(text);
  if (Number.isInteger(base) && base >= lowestPortBase && base <= highestPortBase) return base;
  throw new DemoRefused(`--port-base must be a whole number from ${lowestPortBase} to ${highestPortBase}, so that no port of the demo is one that the system gives away`);
}

/** Runs the demo; resolves when it was stopped. @throws DemoRefused, ConfigurationRefused */
export async function demoCommand(options: DemoCommandOptions): Promise<void> {
  const say = (text: string): void => { process.stdout.write(`${text}\n`); };
  const demo = startDemo({ dataFolder: options.data, portBase: options.portBase, say });
  const stopped = stopOnSignal(demo, say);
  try {
    await demo.started;
  } catch (error) {
    if (!stopped.begun()) throw error;
  }
  await stopped.done;
}

function stopOnSignal(demo: ReturnType<typeof startDemo>, say: (text: string) => void): { readonly begun: () => boolean; readonly done: Promise<void> } {
  let begunMs: number | undefined;
  const done = new Promise<void>((resolve, reject) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      if (begunMs !== undefined) {
        if (signal !== 'SIGHUP' && Date.now() - begunMs > impatientAfterMs) demo.kill();
        return;
      }
      begunMs = Date.now();
      say('\nstopping ...');
      demo.stop().then(() => {
        say('stopped');
        resolve();
      }, reject);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
  return { begun: () => begunMs !== undefined, done };
}
