/** Passwords set by administrators, at any node: written to the directory that has them, or kept by the back-end of a local account. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { DirectoryAccess } from '../directory-access.ts';
import { accountOperations } from './contract/accounts.ts';
import { holderOf } from './holders.ts';
import type { HolderParts } from './holders.ts';
import { stepAt } from './node-step.ts';

const prefix = '/administration/password/';
const stepSchema = z.strictObject({ password: z.string().min(1).max(1024).optional() });
/** Hashing a password slowly, and asking the directory. */
const silenceMs = 20_000;

export interface PasswordParts extends HolderParts {
  readonly directory: Pick<DirectoryAccess, 'maps' | 'takerOf'>;
}

export function passwordHandlers(parts: PasswordParts): readonly Handled[] {
  return [
    handled(accountOperations.setPassword, async ({ params: { address }, body }) => {
      const password = body.password ?? madeUpPassword();
      const { takenBy, notes } = await setPassword(parts, address, password);
      return { takenBy, notes, ...(body.password === undefined ? { password } : {}) };
    }),
  ];
}

/** The back-end's part: the password of a local account, where one is given, and the end of all WebMail sessions. */
export function passwordRoute(setHere: (address: string, password: string | undefined) => Promise<void>): AdminRoute {
  return {
    method: 'POST', prefix, allow: 'nodes', kind: 'step',
    answer: async (address, { body }) => {
      const step = stepSchema.safeParse(body);
      if (!step.success) throw new Failure('bad-input', 'that is no password');
      await setHere(address.toLowerCase(), step.data.password);
      return { status: 200, body: {} };
    },
  };
}

async function setPassword(parts: PasswordParts, given: string, password: string): Promise<{ takenBy: string; notes: string[] }> {
  const { maps, takerOf } = parts.directory;
  const entry = await maps.lookUp(given);
  if (entry === undefined && maps.covers(given)) throw new Failure('unknown-user', `there is no user ${given}`);
  const address = entry?.address ?? given;
  if (entry === undefined || entry.local !== undefined) {
    const node = await holderOf(parts, address);
    await step(parts, { node, address }, password);
    return { takenBy: `back-end ${node}, which keeps the password of this local account`, notes: [] };
  }
  await maps.changePassword(entry, { kind: 'reset' }, password);
  return { takenBy: takerOf(entry), notes: await endSessions(parts, address) };
}

/** The password is changed already: what goes wrong here is told, and undoes nothing. */
async function endSessions(parts: PasswordParts, address: string): Promise<string[]> {
  try {
    await step(parts, { node: await holderOf(parts, address), address }, undefined);
    return [];
  } catch (error) {
    if (isFailure(error, 'unknown-user')) return []; // no mailbox yet, or one at another kind of server
    if (isFailure(error)) return [`WebMail sessions may go on: ${error.message}`];
    throw error;
  }
}

async function step(parts: PasswordParts, { node, address }: { readonly node: string; readonly address: string }, password: string | undefined): Promise<void> {
  await stepAt(parts, node, { path: `${prefix}${encodeURIComponent(address)}`, body: password === undefined ? {} : { password }, silenceMs });
}

/** Letters and digits that nobody mistakes for one another, in groups that can be read out: 98 bits. */
const letters = 'abcdefghjkmnpqrstuvwxyz23456789';

export function madeUpPassword(): string {
  const group = (): string => Array.from({ length: 4 }, () => letters[randomInt(letters.length)] ?? '').join('');
  return Array.from({ length: 5 }, group).join('-');
}
