/**
 * What the file of an index says of itself before LMDB maps it. Of an empty file LMDB makes a new index; one without a header makes the binding (lmdb 3.5.6)
 * end the process; and of one that was cut short so does each look behind its end (SIGBUS).
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { Failure } from '../../shared/base/failure.ts';
import { isDiskFull } from '../../shared/base/full-disk.ts';

/** What is read of the header: LMDB's `MDB_page` and `MDB_meta` (mdb.c of lmdb 3.5.6), in the byte order of the machine. Bytes. */
const header = { flags: 18, magic: 24, pageSize: 48, lastPage: 144, end: 160 } as const;
const metaFlag = 0x08;
const magic = 0xbeefc0de;
/** Bytes: what LMDB takes for a page. */
const [smallestPage, largestPage] = [256, 0x10000];
const pieceBytes = 2 ** 20;

/**
 * Throws `storage-failure` where the file is no index, or not any more. What it lacks of the length that it should have becomes zeros: in these LMDB finds an error.
 * @param mostBytes no index is larger
 */
export function demandHeader(file: string, mostBytes: number): void {
  const opened = openSync(file, 'a+'); // written to behind its end only, wherever that is by then: other processes may have it open
  try {
    if (fstatSync(opened).size === 0) throw new Failure('storage-failure', `${file} is empty`);
    const first = headerAt(opened, 0);
    const second = first === undefined ? undefined : headerAt(opened, first.pageSize);
    const wholeBytes = first === undefined || second === undefined ? Infinity : (Math.max(first.lastPage, second.lastPage) + 1) * first.pageSize;
    if (wholeBytes > mostBytes) throw new Failure('storage-failure', `${file} has no header of an index`);
    lengthen(opened, wholeBytes);
  } finally {
    closeSync(opened);
  }
}

/** Pages at the end that a commit made free before it ended are not in the file, so one that is short is no fault by itself: on a full disk it stays so. */
function lengthen(opened: number, bytes: number): void {
  try {
    for (let missing = bytes - fstatSync(opened).size; missing > 0; missing = bytes - fstatSync(opened).size) writeSync(opened, Buffer.alloc(Math.min(missing, pieceBytes)));
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** The header there; undefined when there is none. A commit writes one of the two while the other stays. */
function headerAt(opened: number, position: number): { readonly pageSize: number; readonly lastPage: number } | undefined {
  const bytes = Buffer.alloc(header.end);
  if (readSync(opened, bytes, 0, header.end, position) < header.end) return undefined;
  const pageSize = bytes.readUInt32LE(header.pageSize);
  const isHeader = (bytes.readUInt16LE(header.flags) & metaFlag) !== 0 && bytes.readUInt32LE(header.magic) === magic && pageSize >= smallestPage && pageSize <= largestPage;
  return isHeader ? { pageSize, lastPage: Number(bytes.readBigUInt64LE(header.lastPage)) } : undefined;
}
