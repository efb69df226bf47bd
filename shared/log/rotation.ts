/**
 * Puts log files away when they are large or old enough, compresses them, and removes old ones; done by the supervisor alone.
 * A file is renamed; every process notices within a second or with its next line after that, and begins a new one.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, stat, truncate, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export interface KeptFile {
  readonly file: string;
  /** 0: not by size. */
  readonly rotateBytes: number;
  /** 0: not by age. */
  readonly rotateMs: number;
  /** 0: any number. */
  readonly keepFiles: number;
  /** 0: for ever. */
  readonly keepMs: number;
  readonly compress: 'gzip' | 'no';
}

export interface RotationTimes {
  readonly lookEveryMs: number;
  /** Before a renamed file is compressed: all processes have turned to the new one by then. */
  readonly settleMs: number;
}

const usualTimes: RotationTimes = { lookEveryMs: 5000, settleMs: 30_000 };

/** Begins; the answer ends it. Faults (a full disk, a missing folder) are told to `complain` and tried again. */
export function keepLogFiles(files: () => readonly KeptFile[], complain: (error: unknown, file: string) => void, times: RotationTimes = usualTimes): () => void {
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (const kept of files()) await keepOne(kept, times).catch((error: unknown) => complain(error, kept.file));
    busy = false;
  };
  const timer = setInterval(() => void look(), times.lookEveryMs).unref();
  return () => clearInterval(timer);
}

/** A file that was put away is called by the time of that: `waybill.log` becomes `waybill.log.2026-11-25T21-40-00-000Z`, then `….gz`. */
const awayPattern = /^\.(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z)(\.gz|\.gz\.part)?$/;

export interface AwayFile {
  readonly path: string;
  readonly atMs: number;
  readonly form: 'plain' | 'gzip' | 'unfinished';
}

/** The files put away of one log file, the newest first. */
export async function awayFiles(file: string): Promise<readonly AwayFile[]> {
  const folder = dirname(file);
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name): AwayFile[] => {
    const match = name.startsWith(basename(file)) ? awayPattern.exec(name.slice(basename(file).length)) : null;
    if (match === null) return [];
    const [date = '', time = ''] = (match[1] ?? '').split('T');
    const [hours, minutes, seconds, milliseconds] = time.slice(0, -1).split('-');
    const form = match[2] === undefined ? 'plain' : match[2] === '.gz' ? 'gzip' : 'unfinished';
    return [{ path: join(folder, name), atMs: Date.parse(`${date}T${String(hours)}:${String(minutes)}:${String(seconds)}.${String(milliseconds)}Z`), form }];
  }).toSorted((one, other) => other.atMs - one.atMs);
}

async function keepOne(kept: KeptFile, { settleMs }: RotationTimes): Promise<void> {
  await putAwayIfDue(kept);
  const now = Date.now();
  const away = await awayFiles(kept.file);
  for (const { path, atMs, form } of away) {
    if (kept.compress === 'gzip' && form === 'plain' && now - atMs >= settleMs) await compress(path);
  }
  const finished = away.filter(({ form }) => form !== 'unfinished');
  for (const [place, { path, atMs }] of finished.entries()) {
    const tooOld = kept.keepMs > 0 && now - atMs > kept.keepMs;
    const tooMany = kept.keepFiles > 0 && place >= kept.keepFiles;
    if (tooOld || tooMany) await Promise.all([unlink(path).catch(ignoreMissing), unlink(`${path}.gz`).catch(ignoreMissing)]);
  }
}

async function putAwayIfDue({ file, rotateBytes, rotateMs }: KeptFile): Promise<void> {
  const facts = await stat(file).catch(() => undefined);
  if (facts === undefined || !facts.isFile() || facts.size === 0) return;
  const isLarge = rotateBytes > 0 && facts.size >= rotateBytes;
  const isOld = rotateMs > 0 && Date.now() - facts.birthtimeMs >= rotateMs;
  if (isLarge || isOld) await rename(file, `${file}.${new Date().toISOString().replace(/[:.]/g, '-')}`);
}

/** Whole or not at all under its name; what a slow process still appends meanwhile becomes a second member of the archive (RFC 1952 section 2.2). */
async function compress(path: string): Promise<void> {
  const part = `${path}.gz.part`;
  let done = 0;
  await truncate(part, 0).catch(ignoreMissing);
  for (let size = (await stat(path)).size; done < size; size = (await stat(path)).size) {
    await pipeline(createReadStream(path, { start: done, end: size - 1 }), createGzip(), createWriteStream(part, { flags: 'a', mode: 0o640 }));
    done = size;
  }
  await rename(part, `${path}.gz`);
  await unlink(path);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
