/** What the tests of the storage room share: a temporary storage, its hints, and messages made up or real. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, AppendResult, Mailbox, Storage, StorageOptions } from '../../../backend/storage/storage.ts';
import { chooseFields, keepFields, takeFields } from '../../../shared/mime/kept-fields.ts';
import { createLog } from '../../../shared/log/log.ts';
import type { ChangeHint, HintBus } from '../../../shared/service/service.ts';

/** A bus within this process that remembers what was published. */
export class RecordingHints implements HintBus {
  readonly published: ChangeHint[] = [];
  readonly #listeners = new Set<(hint: ChangeHint) => void>();

  publish(hint: ChangeHint): void {
    this.published.push(hint);
    for (const listener of this.#listeners) listener(hint);
  }

  subscribe(listener: (hint: ChangeHint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function temporaryDirectory(t: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-storage-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const quietLog = createLog({ node: 'be1', level: 'silent' });

export function storageOptions(directory: string, changes: Partial<StorageOptions> = {}): StorageOptions {
  return {
    directories: [directory],
    clusterName: 'test',
    nodeName: 'be1',
    hints: new RecordingHints(),
    log: quietLog,
    workerSlot: 0,
    reserveBytes: 0,
    ...changes,
  };
}

/** A storage in a temporary directory, closed after the test. */
export async function temporaryStorage(t: TestContext, changes: Partial<StorageOptions> = {}): Promise<Storage> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-storage-'));
  const storage = await openStorage(storageOptions(directory, changes));
  t.after(async () => {
    await storage.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return storage;
}

/** The account's mailbox of that name, which must be there. */
export function mailboxOf(account: Account, name = 'INBOX'): Mailbox {
  const mailbox = account.mailbox(name);
  if (mailbox === undefined) throw new Error(`there is no mailbox ${name}`);
  return mailbox;
}

/** A message with that subject and about that many bytes. */
export function sampleMessage(subject: string, bytes = 500, fields = ''): Buffer {
  const head = `From: a@example.com\r\nTo: b@example.com\r\nSubject: ${subject}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n${fields}\r\n`;
  const line = `${subject} ${'x'.repeat(60)}\r\n`;
  return Buffer.from(head + line.repeat(Math.max(1, Math.ceil((bytes - head.length) / line.length))));
}

/** The bytes in pieces, as they come from a socket. */
export async function* inPieces(bytes: Buffer, pieceBytes = 16 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(at, at + pieceBytes);
  }
}

/** Stages and appends one message. */
export async function deliver(
  target: { readonly storage: Storage; readonly account: Account; readonly mailbox: Mailbox },
  bytes: Buffer,
  marks: { readonly flags?: number; readonly keywords?: readonly string[]; readonly internalDateMs?: number } = {},
): Promise<AppendResult> {
  const staged = await target.account.stage(inPieces(bytes), 100 * 2 ** 20);
  try {
    return await target.mailbox.append([{ staged, marks: { flags: 0, keywords: [], ...marks } }]);
  } finally {
    await staged.discard();
  }
}

/** The bytes of a stored message, all at once. */
export async function bytesOf(mailbox: Mailbox, uid: number): Promise<Buffer> {
  const message = mailbox.message(uid);
  if (message === undefined) throw new Error(`uid ${uid} is not there`);
  return message.read(0, message.size);
}

/** Messages of whose headers other fields are kept beside the index than those that stand there, or none: mailbox and uid. */
export async function wronglyKept(account: Account): Promise<readonly string[]> {
  const choice = chooseFields(['FROM', 'SUBJECT', 'DATE', 'MESSAGE-ID', 'X-NOT-THERE']);
  const wrong: string[] = [];
  for (const { name } of account.mailboxes()) {
    const mailbox = mailboxOf(account, name);
    for (const row of mailbox.rows()) {
      const message = mailbox.message(row.uid);
      const header = await message?.read(0, message.headerBytes) ?? Buffer.alloc(0);
      if (mailbox.headerFields(choice)(row) !== takeFields(keepFields(header).toString('latin1'), choice)) wrong.push(`${name} ${String(row.uid)}`);
    }
  }
  return wrong;
}

/** Counters counted from the rows, to compare with those that are kept. */
export function recount(mailbox: Mailbox): { messages: number; unseen: number; deleted: number; bytes: number } {
  const rows = mailbox.rows();
  return {
    messages: rows.length,
    unseen: rows.filter((row) => (row.flags & 1) === 0).length,
    deleted: rows.filter((row) => (row.flags & 8) !== 0).length,
    bytes: rows.reduce((sum, row) => sum + row.size, 0),
  };
}

/** Real messages. */
export function realMessages(): { readonly name: string; readonly bytes: Buffer }[] {
  const directory = join(import.meta.dirname, '../../../../shared/mail');
  return readdirSync(directory).map((name) => ({ name, bytes: readFileSync(join(directory, name)) }));
}
