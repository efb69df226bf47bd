/** Changes to messages that are there: flags, moving, deleting. */
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { readJson } from '../../shared/http/body.ts';
import { sendJson } from '../../shared/http/refusals.ts';
import { Flag } from '../storage/storage.ts';
import { mailboxById, pathMailbox } from './call.ts';
import type { Call } from './call.ts';
import { mailboxFor, roleOf } from './mailboxes.ts';

const maxChangeBytes = 256 * 1024;

const number = z.number().int().positive();
const uids = z.array(number).min(1).max(10_000);
const flagNames = z.array(z.enum(['seen', 'flagged'])).default([]);

const flagsRequest = z.strictObject({ uids, add: flagNames, remove: flagNames });
const moveRequest = z.strictObject({ uids, to: number });
const deleteRequest = z.strictObject({ uids });

export async function changeFlags(call: Call): Promise<void> {
  const wanted = await readRequest(call, flagsRequest);
  const mailbox = pathMailbox(call);
  if (wanted.add.length > 0) await mailbox.changeFlags(wanted.uids, { mode: 'add', flags: bits(wanted.add), keywords: [], answer: 'unheard' });
  if (wanted.remove.length > 0) await mailbox.changeFlags(wanted.uids, { mode: 'remove', flags: bits(wanted.remove), keywords: [], answer: 'unheard' });
  sendJson(call.exchange.response, 200, {});
}

export async function moveMessages(call: Call): Promise<void> {
  const wanted = await readRequest(call, moveRequest);
  const { uids: moved } = await pathMailbox(call).moveTo(wanted.uids, mailboxById(call.account, wanted.to));
  sendJson(call.exchange.response, 200, { moved: moved.length });
}

/** To the Trash; what is there already is deleted for good. */
export async function deleteMessages(call: Call): Promise<void> {
  const wanted = await readRequest(call, deleteRequest);
  const mailbox = pathMailbox(call);
  const all = call.account.mailboxes();
  const state = all.find(({ id }) => id === mailbox.id);
  if (state !== undefined && roleOf(all, state) === 'trash') await mailbox.expunge(wanted.uids);
  else await mailbox.moveTo(wanted.uids, await mailboxFor(call.account, 'trash'));
  sendJson(call.exchange.response, 200, {});
}

async function readRequest<Schema extends z.ZodType>(call: Call, schema: Schema): Promise<z.output<Schema>> {
  const result = schema.safeParse(await call.waitForClient(async () => readJson(call.exchange.request, maxChangeBytes)));
  if (!result.success) throw new Failure('bad-input', `The request is not understood: ${z.prettifyError(result.error)}`);
  return result.data;
}

function bits(names: readonly ('seen' | 'flagged')[]): number {
  return names.reduce((sum, name) => sum | (name === 'seen' ? Flag.Seen : Flag.Flagged), 0);
}
