/** The table of all commands. */
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './acl.ts';
import { append } from './append.ts';
import { authenticate, login, startTls } from './authenticate.ts';
import type { Command } from './command.ts';
import { compress } from './compress.ts';
import { copy, move, uidCopy, uidMove } from './copy-move.ts';
import { expunge, uidExpunge, uidRemove } from './expunge.ts';
import { fetch, uidFetch } from './fetch.ts';
import { idle } from './idle.ts';
import { list, lsub } from './list.ts';
import { getMetadata, setMetadata } from './metadata.ts';
import { create, namespace, remove, rename, status, subscribe, unsubscribe } from './mailboxes.ts';
import { notify } from './notify.ts';
import { multisearch } from './multisearch.ts';
import { getQuota, getQuotaRoot } from './quota.ts';
import { replace, uidReplace } from './replace.ts';
import { search, uidSearch } from './search.ts';
import { genUrlAuth, resetKey, urlFetch } from './url-auth.ts';
import { check, close, examine, select, unselect } from './select.ts';
import { capability, enable, id, logout, noop, unauthenticate } from './session-commands.ts';
import { cancelUpdate } from './search-context.ts';
import { sort, uidSort } from './sort.ts';
import { store, uidStore } from './store.ts';
import { thread, uidThread } from './thread.ts';

const table: readonly Command[] = [
  capability, noop, logout, id, startTls, login, authenticate, unauthenticate, enable, compress,
  select, examine, create, remove, rename, subscribe, unsubscribe, list, lsub, namespace, status, getQuota, getQuotaRoot, getMetadata, setMetadata, notify, append, replace, uidReplace, idle, genUrlAuth, resetKey, urlFetch,
  setAcl, deleteAcl, getAcl, listRights, myRights,
  check, close, unselect, expunge, uidExpunge, search, uidSearch, multisearch, sort, uidSort, thread, uidThread, cancelUpdate, fetch, uidFetch, store, uidStore, copy, uidCopy, move, uidMove,
];

/** Of other nodes, for their clients who are guests here; to anybody else they are unknown. */
const forNodes: readonly Command[] = [uidRemove];

/** Those of clients, in capitals, the UID commands as two words. */
export const verbs: readonly string[] = table.map(({ verb }) => verb);

const byVerb: ReadonlyMap<string, Command> = new Map([...table, ...forNodes].map((command) => [command.verb, command]));

const guestVerbs: ReadonlySet<string> = new Set([
  'CAPABILITY', 'NOOP', 'LOGOUT', 'ID', 'AUTHENTICATE', 'ENABLE', 'SELECT', 'EXAMINE', 'CREATE', 'DELETE', 'RENAME', 'STATUS', 'ESEARCH', 'GETQUOTAROOT', 'APPEND', 'IDLE',
  'SETACL', 'DELETEACL', 'GETACL', 'LISTRIGHTS', 'MYRIGHTS', 'GETMETADATA', 'SETMETADATA', 'NOTIFY', 'URLFETCH',
]);

/** Whether somebody may say it to whom the account does not belong: it asks for rights on the mailbox that it names or that is open, or for what the owner authorised. */
export function isForGuests({ verb, allowedIn }: Command): boolean {
  return guestVerbs.has(verb) || allowedIn.every((state) => state === 'selected');
}

/** Commands whose numbers are, or whose answers give, sequence numbers: those that have a counterpart with uids. */
export function takesSequenceNumbers({ verb }: Command): boolean {
  return verb !== 'EXPUNGE' && byVerb.has(`UID ${verb}`);
}

/** @param verb in capitals, the UID commands as two words. @param by who says it */
export function findCommand(verb: string, by: 'client' | 'node'): Command | undefined {
  const command = byVerb.get(verb);
  return command !== undefined && by === 'client' && forNodes.includes(command) ? undefined : command;
}
