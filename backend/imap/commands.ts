/** The table of all commands, except APPEND, whose literal is read by `append.ts` as it comes. */
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './acl.ts';
import { authenticate, login, startTls } from './authenticate.ts';
import { accountCommand } from './command.ts';
import type { Command } from './command.ts';
import { copy, move, uidCopy, uidMove } from './copy-move.ts';
import { expunge, uidExpunge } from './expunge.ts';
import { fetch, uidFetch } from './fetch.ts';
import { idle } from './idle.ts';
import { list, lsub } from './list.ts';
import { getMetadata, setMetadata } from './metadata.ts';
import { create, namespace, remove, rename, status, subscribe, unsubscribe } from './mailboxes.ts';
import { notify } from './notify.ts';
import { multisearch } from './multisearch.ts';
import { getQuota, getQuotaRoot } from './quota.ts';
import { bad } from './replies.ts';
import { search, uidSearch } from './search.ts';
import { check, close, examine, select, unselect } from './select.ts';
import { capability, enable, id, logout, noop, unauthenticate } from './session-commands.ts';
import { cancelUpdate } from './search-context.ts';
import { sort, uidSort } from './sort.ts';
import { store, uidStore } from './store.ts';
import { thread, uidThread } from './thread.ts';
import { malformed } from '../../shared/imap/scanner.ts';

/** Reached only by an APPEND without a message literal where one is due. */
const brokenAppend = accountCommand({
  verb: 'APPEND',
  parse: () => {
    throw malformed('expected: mailbox, flags, date-time, and the message as a literal');
  },
  run: async () => bad('malformed APPEND'),
});

const table: readonly Command[] = [
  capability, noop, logout, id, startTls, login, authenticate, unauthenticate, enable,
  select, examine, create, remove, rename, subscribe, unsubscribe, list, lsub, namespace, status, getQuota, getQuotaRoot, getMetadata, setMetadata, notify, brokenAppend, idle,
  setAcl, deleteAcl, getAcl, listRights, myRights,
  check, close, unselect, expunge, uidExpunge, search, uidSearch, multisearch, sort, uidSort, thread, uidThread, cancelUpdate, fetch, uidFetch, store, uidStore, copy, uidCopy, move, uidMove,
];

const byVerb: ReadonlyMap<string, Command> = new Map(table.map((command) => [command.verb, command]));

const guestVerbs: ReadonlySet<string> = new Set([
  'CAPABILITY', 'NOOP', 'LOGOUT', 'ID', 'AUTHENTICATE', 'ENABLE', 'SELECT', 'EXAMINE', 'CREATE', 'DELETE', 'RENAME', 'STATUS', 'ESEARCH', 'GETQUOTAROOT', 'APPEND', 'IDLE',
  'SETACL', 'DELETEACL', 'GETACL', 'LISTRIGHTS', 'MYRIGHTS', 'GETMETADATA', 'SETMETADATA',
]);

/** Whether somebody may say it to whom the account does not belong: it asks for rights on the mailbox that it names or that is open. */
export function isForGuests({ verb, allowedIn }: Command): boolean {
  return guestVerbs.has(verb) || allowedIn.every((state) => state === 'selected');
}

/** @param verb in capitals, the UID commands as two words. */
export function findCommand(verb: string): Command | undefined {
  return byVerb.get(verb);
}
