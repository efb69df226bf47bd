/** Commands on mailboxes as a whole: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS, NAMESPACE (RFC 9051 section 6.3; uses of a new mailbox: RFC 6154). */
import { parseCreate, takeMailbox, takeStatusItems } from '../../shared/imap/mailbox-arguments.ts';
import type { Scanner } from '../../shared/imap/scanner.ts';
import { accountCommand, nothing } from './command.ts';
import { oldNameLine } from './list.ts';
import { requireMailbox, statusLine } from './mailbox-lines.ts';
import { no, ok } from './replies.ts';
import type { Session } from './session.ts';

const oneMailbox = (scanner: Scanner, session: Session): string => takeMailbox(scanner, session.names);

/** Empty levels, and wildcards, which LIST could not tell from its own. */
function isImpossible(name: string): boolean {
  return name.split('/').includes('') || /[%*]/.test(name);
}

export const create = accountCommand({
  verb: 'CREATE',
  parse: (scanner, session) => parseCreate(scanner, session.names),
  run: async ({ session, account }, { mailbox: given, spelled, specialUses }) => {
    const name = given.endsWith('/') ? given.slice(0, -1) : given;
    if (isImpossible(name)) return no('no mailbox can be called so', 'CANNOT');
    session.accountNews.noteOwnNames(name);
    const mailbox = await account.createMailbox(name, specialUses);
    // A slash at the end is no spelling, only a declaration.
    const oldName = spelled?.replace(/\/$/, '');
    if (session.isEnabled('IMAP4REV2') && oldName !== undefined && oldName !== name) session.output.line(oldNameLine(session, account, { name, oldName }));
    return ok('CREATE completed', `MAILBOXID (${mailbox.state().mailboxId})`);
  },
});

export const remove = accountCommand({
  verb: 'DELETE',
  parse: oneMailbox,
  run: async ({ session, account }, name) => {
    if (name === 'INBOX') return no('INBOX can not be deleted', 'CANNOT');
    if (account.mailbox(name) === undefined && account.mailboxes().some((other) => other.name.startsWith(`${name}/`))) return no('only a level above other mailboxes', 'HASCHILDREN');
    const mailbox = requireMailbox(account, name);
    if (session.state.at === 'selected' && session.state.view.mailbox.id === mailbox.id) {
      session.output.line('* OK [CLOSED] the open mailbox is being deleted');
      session.enter({ at: 'authenticated', account });
    }
    session.accountNews.noteOwnNames(name);
    await account.deleteMailbox(name);
    return ok('DELETE completed');
  },
});

export const rename = accountCommand({
  verb: 'RENAME',
  parse: (scanner, session) => {
    const from = takeMailbox(scanner, session.names);
    scanner.space();
    return { from, to: takeMailbox(scanner, session.names) };
  },
  run: async ({ session, account }, { from, to }) => {
    if (isImpossible(to)) return no('no mailbox can be called so', 'CANNOT');
    if (to.startsWith(`${from}/`) && from !== 'INBOX') return no('a mailbox can not be moved below itself', 'CANNOT');
    session.accountNews.noteOwnNames(from, to);
    await account.renameMailbox(from, to);
    if (session.isEnabled('IMAP4REV2') && from !== 'INBOX') {
      session.output.line(oldNameLine(session, account, { name: to, oldName: from }));
    }
    return ok('RENAME completed');
  },
});

export const subscribe = accountCommand({
  verb: 'SUBSCRIBE',
  parse: oneMailbox,
  run: async ({ session, account }, name) => {
    // Only what exists, so that nobody can make us keep endless names.
    requireMailbox(account, name);
    session.accountNews.noteOwnNames(name);
    await account.setSubscribed(name, 'yes');
    return ok('SUBSCRIBE completed');
  },
});

export const unsubscribe = accountCommand({
  verb: 'UNSUBSCRIBE',
  parse: oneMailbox,
  run: async ({ session, account }, name) => {
    session.accountNews.noteOwnNames(name);
    await account.setSubscribed(name, 'no');
    return ok('UNSUBSCRIBE completed');
  },
});

export const status = accountCommand({
  verb: 'STATUS',
  parse: (scanner, session) => {
    const name = takeMailbox(scanner, session.names);
    scanner.space();
    return { name, items: takeStatusItems(scanner) };
  },
  run: async ({ session, account }, { name, items }) => {
    session.output.line(statusLine(session, requireMailbox(account, name).state(), items));
    return ok('STATUS completed');
  },
});

export const namespace = accountCommand({
  verb: 'NAMESPACE',
  parse: nothing,
  run: async ({ session }) => {
    session.output.line('* NAMESPACE (("" "/")) NIL NIL');
    return ok('NAMESPACE completed');
  },
});
