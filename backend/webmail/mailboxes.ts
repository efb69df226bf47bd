/** The folder list, and which folder plays which part. */
import { sendJson } from '../../shared/http/refusals.ts';
import type { Account, Mailbox, MailboxState } from '../storage/storage.ts';
import type { MailboxRole, MailboxView } from './api.ts';
import type { Call } from './call.ts';

/** Special uses (RFC 6154) and the names under which other programs make such folders without saying so. */
const roles: readonly { readonly role: MailboxRole; readonly specialUse: string; readonly usualName: string }[] = [
  { role: 'drafts', specialUse: '\\Drafts', usualName: 'Drafts' },
  { role: 'sent', specialUse: '\\Sent', usualName: 'Sent' },
  { role: 'archive', specialUse: '\\Archive', usualName: 'Archive' },
  { role: 'junk', specialUse: '\\Junk', usualName: 'Junk' },
  { role: 'trash', specialUse: '\\Trash', usualName: 'Trash' },
];

export async function listMailboxes({ exchange, account }: Call): Promise<void> {
  const states = account.mailboxes();
  const mailboxes: MailboxView[] = states.map((state) => ({ id: state.id, name: state.name, role: roleOf(states, state), messages: state.messages, unseen: state.unseen }));
  sendJson(exchange.response, 200, { mailboxes });
  return Promise.resolve();
}

/** The part a mailbox plays among all; a special use counts more than a name. */
export function roleOf(all: readonly MailboxState[], state: MailboxState): MailboxRole {
  if (state.name === 'INBOX') return 'inbox';
  return roles.find((each) => holderOf(all, each)?.id === state.id)?.role ?? 'none';
}

/** The mailbox for a part, made when the account has none. */
export async function mailboxFor(account: Account, role: 'sent' | 'drafts' | 'trash'): Promise<Mailbox> {
  const wanted = roles.find((each) => each.role === role);
  if (wanted === undefined) throw new Error(`no folder is known for ${role}`);
  const state = holderOf(account.mailboxes(), wanted);
  const mailbox = state === undefined ? undefined : account.mailboxById(state.id);
  return mailbox ?? account.createMailbox(wanted.usualName, [wanted.specialUse]);
}

function holderOf(all: readonly MailboxState[], wanted: { readonly specialUse: string; readonly usualName: string }): MailboxState | undefined {
  return all.find(({ specialUses }) => specialUses.includes(wanted.specialUse))
    ?? all.find(({ name, specialUses }) => specialUses.length === 0 && name.toLowerCase() === wanted.usualName.toLowerCase());
}
