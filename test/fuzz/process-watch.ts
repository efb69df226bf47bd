/**
 * What a fuzzed process holds: descriptors as the kernel sees them, memory as the process itself says after a garbage
 * collection, asked over its inspector (which SIGUSR1 opens).
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Others use an inspector for seconds. */
const inspectorPatienceMs = 60_000;

/** @throws when the process is gone */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${String(pid)}/fd`).length;
}

/** Waits until descriptors are back at `most`; answers what they are at last. */
export async function settledDescriptors(pid: number, most: number): Promise<number> {
  for (let attempt = 0; attempt < 100 && descriptorsOf(pid) > most; attempt += 1) await sleep(100);
  return descriptorsOf(pid);
}

/**
 * Bytes in use in the heap and in buffers of a process, after a collection. One process at a time: inspectors share a port.
 * @param output what the process has written so far: it names the inspector's address there
 */
export async function usedBytesOf(pid: number, output: () => string): Promise<number> {
  const socket = new WebSocket(await inspectorAddress(pid, output));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });
  await ask(socket, 1, { method: 'HeapProfiler.collectGarbage' });
  const expression = 'process.memoryUsage().heapUsed + process.memoryUsage().external';
  const answer = await ask(socket, 2, { method: 'Runtime.evaluate', params: { expression, returnByValue: true } });
  const closed = new Promise((resolve) => {
    socket.addEventListener('close', resolve, { once: true });
  });
  const close = 'setTimeout(() => process.getBuiltinModule("node:inspector").close(), 50); 0';
  await ask(socket, 3, { method: 'Runtime.evaluate', params: { expression: close, returnByValue: true } });
  socket.close();
  await closed;
  await sleep(200);
  return (answer as { result: { value: number } }).result.value;
}

/** The port is the same for all processes of the machine: where another test has it, it is asked for again. */
async function inspectorAddress(pid: number, output: () => string): Promise<string> {
  let from = 0;
  const said = (): string => output().slice(from);
  for (const deadline = Date.now() + inspectorPatienceMs; Date.now() < deadline;) {
    from = output().length;
    process.kill(pid, 'SIGUSR1');
    for (let attempt = 0; attempt < 100 && !said().includes(' failed: address already in use'); attempt += 1) {
      const address = /Debugger listening on (ws:\S+)/.exec(said())?.[1];
      if (address !== undefined) return address;
      await sleep(100);
    }
    await sleep(500);
  }
  throw new Error(`no inspector: ${said()}`);
}

async function ask(socket: WebSocket, id: number, question: object): Promise<unknown> {
  const answered = new Promise<unknown>((resolve) => {
    const hear = (event: MessageEvent): void => {
      const message = JSON.parse(String(event.data)) as { id?: number; result?: unknown };
      if (message.id !== id) return;
      socket.removeEventListener('message', hear);
      resolve(message.result);
    };
    socket.addEventListener('message', hear);
  });
  socket.send(JSON.stringify({ id, ...question }));
  return answered;
}
