/** Commands on mailboxes as a whole: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS, NAMESPACE (RFC 9051 section 6.3; uses of a new mailbox: RFC 6154). */
import { Failure } from '../../shared/base/failure.ts';
import { parseCreate, takeMailbox, takeStatusItems } from '../../shared/imap/mailbox-arguments.ts';
import { encodeMailboxName } from '../../shared/imap/mailbox-name.ts';
import type { Scanner } from '../../shared/imap/scanner.ts';
import { formatString } from '../../shared/imap/strings.ts';
import { accountCommand, atPlace, nothing } from './command.ts';
import { oldNameLine } from './list.ts';
import { statusLine } from './mailbox-lines.ts';
import { specialUseEntry } from './metadata.ts';
import { demand, mailboxAt, nameOfShared, parentOf, placeOf } from './place.ts';
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
  run: async ({ session }, { mailbox: given, spelled, specialUses }) => {
    const name = given.endsWith('/') ? given.slice(0, -1) : given;
    if (isImpossible(name)) return no('no mailbox can be called so', 'CANNOT');
    return atPlace(session, name, async (place) => {
      demand(await parentOf(session, place), 'k');
      if (place.whose === 'others' && specialUses !== undefined && specialUses.length > 0) return no('only the owner says what a folder is used for', 'USEATTR');
      session.accountNews.noteOwnNames(name);
      const mailbox = await place.account.createMailbox(place.name, specialUses);
      if (place.whose === 'own') session.accountNews.noteOwnAnnotations({ place: mailbox.id, entries: [specialUseEntry], version: place.account.annotations.version() }, place);
      // A slash at the end is no spelling, only a declaration.
      const oldName = spelled?.replace(/\/$/, '');
      if (session.isEnabled('IMAP4REV2') && oldName !== undefined && oldName !== name) session.output.line(oldNameLine(session, place, { name, oldName }));
      return ok('CREATE completed', `MAILBOXID (${mailbox.state().mailboxId})`);
    });
  },
});

export const remove = accountCommand({
  verb: 'DELETE',
  parse: oneMailbox,
  run: async ({ session, account }, given) => atPlace(session, given, async (place) => {
    const { name } = place;
    if (name === 'INBOX') return no('INBOX can not be deleted', 'CANNOT');
    demand(place, 'x');
    if (place.account.mailbox(name) === undefined && place.account.mailboxes().some((other) => other.name.startsWith(`${name}/`))) return no('only a level above other mailboxes', 'HASCHILDREN');
    const mailbox = mailboxAt(place);
    if (session.hasOpen({ account: place.account, mailbox })) {
      session.output.line('* OK [CLOSED] the open mailbox is being deleted');
      session.enter({ at: 'authenticated', account });
    }
    session.accountNews.noteOwnNames(given);
    await place.account.deleteMailbox(name);
    return ok('DELETE completed');
  }),
});

export const rename = accountCommand({
  verb: 'RENAME',
  parse: (scanner, session) => {
    const from = takeMailbox(scanner, session.names);
    scanner.space();
    return { from, to: takeMailbox(scanner, session.names) };
  },
  run: async ({ session }, { from, to }) => atPlace(session, from, async (source) => {
    if (isImpossible(to)) return no('no mailbox can be called so', 'CANNOT');
    if (to.startsWith(`${from}/`) && from !== 'INBOX') return no('a mailbox can not be moved below itself', 'CANNOT');
    demand(source, 'x');
    const target = await placeOf(session, to);
    if (target.at === 'away' || target.account.id !== source.account.id) return no('a mailbox can not become somebody else\'s: copy its messages', 'CANNOT');
    if (source.whose === 'others' && source.name === 'INBOX') return no('INBOX can be renamed by its owner only', 'CANNOT');
    demand(await parentOf(session, target), 'k');
    session.accountNews.noteOwnNames(from, to);
    await source.account.renameMailbox(source.name, target.name);
    if (session.isEnabled('IMAP4REV2') && from !== 'INBOX') {
      session.output.line(oldNameLine(session, target, { name: to, oldName: from }));
    }
    return ok('RENAME completed');
  }),
});

export const subscribe = accountCommand({
  verb: 'SUBSCRIBE',
  parse: oneMailbox,
  run: async ({ session, account }, name) => {
    // Only what exists, so that nobody can make us keep endless names.
    await requireVisible(session, name);
    session.accountNews.noteOwnNames(name);
    await account.setSubscribed(name, 'yes');
    return ok('SUBSCRIBE completed');
  },
});

/** @throws Failure `mailbox-missing` also of what the user may not see, `backend-unavailable` while nobody can tell */
async function requireVisible(session: Session, name: string): Promise<void> {
  const place = await placeOf(session, name);
  if (place.at === 'here') {
    demand(place, 'l');
    mailboxAt(place);
    return;
  }
  const { folders, silent } = await session.options.sharing.sharedWith(session.visitor);
  if (folders.some((folder) => nameOfShared(session, folder) === name)) return;
  if (silent.includes(place.node)) throw new Failure('backend-unavailable', 'the node that keeps this folder does not answer');
  throw new Failure('mailbox-missing', 'no such mailbox');
}

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
  run: async ({ session }, { name, items }) => {
    if (items.includes('HIGHESTMODSEQ')) session.enable('CONDSTORE'); // also when it is refused: the client has issued it (RFC 7162 section 3.1)
    return atPlace(session, name, async (place) => {
      demand(place, 'r');
      session.output.line(statusLine(session, { state: { ...mailboxAt(place).state(), name }, account: place.account }, items));
      return Promise.resolve(ok('STATUS completed'));
    });
  },
});

export const namespace = accountCommand({
  verb: 'NAMESPACE',
  parse: nothing,
  run: async ({ session }) => {
    const { namespaces: { otherUsers, publicFolders }, publicOwnerOf } = session.options.sharing;
    const others = (prefix: string): string => `((${formatString(encodeMailboxName(`${prefix}/`, session.names))} "/"))`;
    session.output.line(`* NAMESPACE (("" "/")) ${others(otherUsers)} ${publicOwnerOf(session.visitor) === undefined ? 'NIL' : others(publicFolders)}`);
    return ok('NAMESPACE completed');
  },
});
