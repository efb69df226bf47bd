/** Which process holds how many connections of a port: Linux' /proc (proc(5)). */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const established = '01';

/** The workers of a supervisor: its children. */
export function workersOf(supervisor: number): number[] {
  return readFileSync(`/proc/${String(supervisor)}/task/${String(supervisor)}/children`, 'utf8').trim().split(' ').filter((pid) => pid !== '').map(Number);
}

/** Established connections that came to the port and are held by the process. */
export function connectionsTo(port: number, pid: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set(readFileSync(`/proc/${String(pid)}/net/tcp`, 'utf8').split('\n').slice(1).map((line) => line.trim().split(/ +/))
    .filter(([, local = '', , state]) => local.endsWith(`:${wanted}`) && state === established).map((fields) => `socket:[${fields[9] ?? ''}]`));
  return readdirSync(`/proc/${String(pid)}/fd`).filter((fd) => inodes.has(linkOf(`/proc/${String(pid)}/fd/${fd}`))).length;
}

/** '' for a descriptor that was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
