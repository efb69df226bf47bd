/**
 * Measures how rows of a mailbox are best kept in LMDB: one row per message, or blocks of fixed-width rows. `npm run bench -- storage-layout --help`. The decision it led to is in docs/decisions/storage.md.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEnvironment } from '../../backend/storage/environment.ts';
import type { Environment, Table } from '../../backend/storage/environment.ts';
import { figuresCommand } from './command/plain-commands.ts';

const rowBytes = 56;
const writesMeasured = 600;

interface Figures {
  readonly layout: string;
  readonly messages: number;
  readonly scanRowsPerSecond: number;
  readonly flagChangesPerSecond: number;
  readonly appendsPerSecond: number;
  readonly appends16PerSecond: number;
  readonly twoProcessesPerSecond: number;
}

/** Rows of one mailbox in blocks of 2^shift. */
class Layout {
  readonly environment: Environment;
  readonly rows: Table;
  readonly shift: number;

  constructor(path: string, shift: number) {
    this.environment = openEnvironment(path);
    this.rows = this.environment.table('rows');
    this.shift = shift;
  }

  fill(messages: number): Promise<void> {
    const perBlock = 1 << this.shift;
    return this.environment.write(() => {
      for (let first = 0; first < messages; first += perBlock) {
        const rows = Array.from({ length: Math.min(perBlock, messages - first) }, (_, index) => makeRow(first + index));
        this.rows.put([1, first >> this.shift], Buffer.concat(rows));
      }
    });
  }

  scan(): number {
    return this.environment.read(() => {
      let seen = 0;
      for (const { value } of this.rows.range({ from: [1, 0], to: [2] })) {
        for (let at = 0; at < value.length; at += rowBytes) {
          const row = { uid: value.readUInt32LE(at), modseq: value.readDoubleLE(at + 8), flags: value.readUInt8(at + 4), date: value.readDoubleLE(at + 24) };
          seen += row.uid > 0 ? 1 : 1;
        }
      }
      return seen;
    });
  }

  changeFlag(uid: number): Promise<void> {
    return this.environment.write(() => {
      const key = [1, uid >> this.shift];
      const block = this.rows.get(key);
      if (block === undefined) throw new Error('no such row');
      const at = (uid & ((1 << this.shift) - 1)) * rowBytes;
      block.writeUInt8(block.readUInt8(at + 4) ^ 1, at + 4);
      this.rows.put(key, block);
    });
  }

  append(nextUid: () => number): Promise<void> {
    return this.environment.write(() => {
      const uid = nextUid();
      const key = [1, uid >> this.shift];
      const block = this.rows.get(key);
      this.rows.put(key, block === undefined ? makeRow(uid) : Buffer.concat([block, makeRow(uid)]));
    });
  }
}

function makeRow(uid: number): Buffer {
  const row = Buffer.alloc(rowBytes);
  row.writeUInt32LE(uid, 0);
  for (let column = 1; column < 7; column += 1) row.writeDoubleLE(uid * column, column * 8);
  return row;
}

async function perSecond(count: number, action: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await action();
  return Math.round((count * 1000) / (performance.now() - start));
}

async function measure(shift: number, messages: number): Promise<Figures> {
  const path = mkdtempSync(join(tmpdir(), 'storage-layout-'));
  const layout = new Layout(path, shift);
  await layout.fill(messages);
  layout.scan();
  const repeats = Math.ceil(300_000 / messages);
  const scanRowsPerSecond = await perSecond(messages * repeats, () => {
    for (let turn = 0; turn < repeats; turn += 1) layout.scan();
  });
  const flagChangesPerSecond = await perSecond(writesMeasured, async () => {
    for (let turn = 0; turn < writesMeasured; turn += 1) await layout.changeFlag((turn * 7919) % messages);
  });
  let next = messages;
  const takeUid = (): number => next++;
  const appendsPerSecond = await perSecond(writesMeasured, async () => {
    for (let turn = 0; turn < writesMeasured; turn += 1) await layout.append(takeUid);
  });
  const appends16PerSecond = await perSecond(writesMeasured * 16, async () => {
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (let turn = 0; turn < writesMeasured; turn += 1) await layout.append(takeUid);
    }));
  });
  const twoProcessesPerSecond = await perSecond(2 * 4 * writesMeasured, () => runWriters(path, shift, messages));
  await layout.environment.close();
  rmSync(path, { recursive: true });
  return {
    layout: shift === 0 ? 'row per message' : `blocks of ${1 << shift}`,
    messages, scanRowsPerSecond, flagChangesPerSecond, appendsPerSecond, appends16PerSecond, twoProcessesPerSecond,
  };
}

/** Two processes, each with four read-modify-writes in flight. */
async function runWriters(path: string, shift: number, messages: number): Promise<void> {
  const ends = [0, 1].map(() => new Promise<void>((resolve, reject) => {
    const child = fork(import.meta.filename, ['--writer', path, String(shift), String(messages)]);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`writer left with ${code}`))));
  }));
  await Promise.all(ends);
}

async function write(path: string, shift: number, messages: number): Promise<void> {
  const layout = new Layout(path, shift);
  await Promise.all([0, 1, 2, 3].map(async (lane) => {
    for (let turn = 0; turn < writesMeasured; turn += 1) await layout.changeFlag((turn * 7919 + lane) % messages);
  }));
  await layout.environment.close();
}

async function main(): Promise<void> {
  const [mode, path, shift, messages] = process.argv.slice(2);
  if (mode === '--writer' && path !== undefined) return write(path, Number(shift), Number(messages));
  const { json } = figuresCommand('storage-layout', 'How rows of a mailbox are best kept in LMDB: one row for each message, or blocks of rows.').parse().opts<{ readonly json?: true }>();
  const figures: Figures[] = [];
  for (const size of [10_000, 100_000]) {
    for (const candidate of [0, 6, 8, 10]) figures.push(await measure(candidate, size));
  }
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else console.table(figures);
}

await main();
