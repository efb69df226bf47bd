/** COPY and MOVE, also by uid (RFC 9051 sections 6.4.7 and 6.4.8, RFC 6851; COPYUID: RFC 4315). */
import { parseCopy } from '../../shared/imap/store-arguments.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import type { SequenceSet } from '../../shared/imap/sequence-set.ts';
import type { CopyResult } from '../storage/storage.ts';
import { mailboxCommand } from './command.ts';
import type { Command, Selected } from './command.ts';
import { requireWriteAccess } from './expunge.ts';
import { no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Numbers } from './view.ts';

export const copy = define('COPY', 'sequence');
export const uidCopy = define('UID COPY', 'uid');
export const move = define('MOVE', 'sequence');
export const uidMove = define('UID MOVE', 'uid');

function define(verb: string, numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: verb.endsWith('MOVE') ? 'removals' : 'everything',
    parse: (scanner, session) => parseCopy(scanner, session.names),
    run: async (selected, given) => (verb.endsWith('MOVE') ? runMove(selected, given, numbers) : runCopy(selected, given, numbers)),
  });
}

interface Given {
  readonly set: SequenceSet;
  readonly mailbox: string;
}

const noTarget = no('no such mailbox', 'TRYCREATE');

async function runCopy({ session, account, view }: Selected, given: Given, numbers: Numbers): Promise<Completion> {
  const uids = view.uidsIn(view.spans(given.set, numbers));
  const target = account.mailbox(given.mailbox);
  if (target === undefined) return noTarget;
  if (uids.length === 0) return ok('nothing to copy');
  const result = await view.mailbox.copyTo(uids, target);
  session.noteOwnMessages(target, result.uids);
  return ok('COPY completed', copyUid(result));
}

async function runMove({ session, account, view }: Selected, given: Given, numbers: Numbers): Promise<Completion> {
  requireWriteAccess(view);
  const uids = view.uidsIn(view.spans(given.set, numbers));
  const target = account.mailbox(given.mailbox);
  if (target === undefined) return noTarget;
  if (uids.length === 0) return ok('nothing to move');
  const result = await view.mailbox.moveTo(uids, target);
  session.noteOwnMessages(target, result.uids);
  // Before the EXPUNGEs, which the refresh after this command tells (RFC 6851 section 4.3).
  const code = copyUid(result);
  if (code !== undefined) session.output.line(`* OK [${code}] moved`);
  return ok('MOVE completed', session.isEnabled('QRESYNC') ? `HIGHESTMODSEQ ${String(view.mailbox.state().highestModseq)}` : undefined);
}

function copyUid(result: CopyResult): string | undefined {
  if (result.uids.length === 0) return undefined;
  return `COPYUID ${String(result.uidValidity)} ${formatSet(result.sourceUids)} ${formatSet(result.uids)}`;
}
