/** What a fuzzed process holds, as the kernel sees it: it must live on, and neither its memory nor its descriptors may grow. */
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Holdings {
  readonly descriptors: number;
  readonly residentBytes: number;
}

/** @throws when the process is gone */
export function holdings(pid: number): Holdings {
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  return { descriptors: readdirSync(`/proc/${String(pid)}/fd`).length, residentBytes: Number(resident) * 1024 };
}

/** Waits until descriptors are back at `most`; answers what they are at last. */
export async function settledDescriptors(pid: number, most: number): Promise<number> {
  for (let attempt = 0; attempt < 100 && holdings(pid).descriptors > most; attempt += 1) await sleep(100);
  return holdings(pid).descriptors;
}
