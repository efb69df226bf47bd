/** The audit of a node as the admin API tells it: from the end of its file, as far as one look reaches. */
import { open } from 'node:fs/promises';
import { accountOf } from '../../shared/admin-api/account-act.ts';
import { mayTouch } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import type { z } from 'zod';
import { auditEntrySchema, auditOperations } from './contract/audit.ts';

type Entry = z.output<typeof auditEntrySchema>;

/** So much of the file's end is looked through. */
const longestLookBytes = 8 * 1024 * 1024;

export function auditHandlers(file: string | undefined): readonly Handled[] {
  return [
    handled(auditOperations.listAudit, async ({ query, caller }) => {
      if (file === undefined) throw new ApiRefusal(422, 'no-audit-file', { text: 'this node keeps its audit in the ordinary log', advice: 'administration.auditFile names a file for it.' });
      const { entries: all, complete } = await auditEntries(file);
      const entries = all.filter((entry) => isMeant(entry, query.address) && isVisible(caller, entry));
      return { entries: entries.slice(0, query.limit), complete: complete && entries.length <= query.limit };
    }),
  ];
}

/** What stands at the end of the file, the newest first. */
export async function auditEntries(file: string): Promise<{ readonly entries: readonly Entry[]; readonly complete: boolean }> {
  const { text, complete } = await endOf(file);
  return { entries: text.split('\n').flatMap(entryOf).reverse(), complete };
}

async function endOf(file: string): Promise<{ readonly text: string; readonly complete: boolean }> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined; // made with the first act
    throw error;
  });
  if (handle === undefined) return { text: '', complete: true };
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - longestLookBytes);
    const bytes = Buffer.alloc(size - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    const text = bytes.subarray(0, bytesRead).toString('utf8');
    return { text: from === 0 ? text : text.slice(text.indexOf('\n') + 1), complete: from === 0 };
  } finally {
    await handle.close();
  }
}

/** Lines that are none of ours are left out. */
function entryOf(line: string): Entry[] {
  if (line === '') return [];
  try {
    const parsed = auditEntrySchema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return []; // the end of a write that a crash cut
  }
}

/** Under any of the names that it had in the act. */
function isMeant({ facts }: Entry, address: string | undefined): boolean {
  return address === undefined || ['account', 'address', 'from', 'to'].some((name) => String(facts[name]).toLowerCase() === address);
}

/** A domain administrator sees acts on accounts of the domains. */
function isVisible(caller: Caller, entry: Entry): boolean {
  return mayTouch(caller, accountOf(entry.facts) ?? '');
}
