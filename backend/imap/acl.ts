/** Rights on mailboxes: SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314). */
import { Failure } from '../../shared/base/failure.ts';
import { takeMailbox } from '../../shared/imap/mailbox-arguments.ts';
import { allRights, changedRights, formatRights, parseRightsChange, takeIdentifier, withRights, withoutRights } from '../../shared/imap/rights.ts';
import type { Rights, RightsChange } from '../../shared/imap/rights.ts';
import type { Scanner } from '../../shared/imap/scanner.ts';
import { formatAstring, utf8Bytes } from '../../shared/imap/strings.ts';
import type { RightsEntry } from '../storage/storage.ts';
import { namedCommand } from './command.ts';
import { formatMailbox } from './mailbox-lines.ts';
import { demand, mailboxAt } from './place.ts';
import type { HerePlace } from './place.ts';
import { no, ok } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

interface OfIdentifier {
  readonly name: string;
  /** As the client wrote it. */
  readonly identifier: string;
}

function takeNameAndIdentifier(scanner: Scanner, session: Session): OfIdentifier {
  const name = takeMailbox(scanner, session.names);
  scanner.space();
  return { name, identifier: takeIdentifier(scanner) };
}

export const setAcl = namedCommand<OfIdentifier & { readonly change: RightsChange }>({
  verb: 'SETACL',
  parse: (scanner, session) => {
    const of = takeNameAndIdentifier(scanner, session);
    scanner.space();
    return { ...of, change: parseRightsChange(scanner.astring()) };
  },
  run: async ({ session, place }, { identifier, change }) => setRights(session, place, { identifier, change, verb: 'SETACL' }),
});

export const deleteAcl = namedCommand<OfIdentifier>({
  verb: 'DELETEACL',
  parse: takeNameAndIdentifier,
  run: async ({ session, place }, { identifier }) => setRights(session, place, { identifier, change: { mode: 'replace', rights: '' }, verb: 'DELETEACL' }),
});

interface Wish {
  readonly identifier: string;
  readonly change: RightsChange;
  readonly verb: string;
}

async function setRights(session: Session, place: HerePlace, { identifier, change, verb }: Wish): Promise<Completion> {
  demand(place, 'a');
  mailboxAt(place);
  const isNegative = identifier.startsWith('-');
  const who = await canonical(session, place, { identifier: isNegative ? identifier.slice(1) : identifier, existence: isTakenBack(change) ? 'may be gone' : 'must exist' });
  if (who === place.account.address) {
    const keepsAll = !isNegative && changedRights(allRights, change) === allRights;
    return keepsAll || (isNegative && change.rights === '') ? ok(`${verb} completed`) : no('the owner of a folder always has all rights', 'CANNOT');
  }
  const side = isNegative ? 'deny' : 'allow';
  const { inherited } = place.account.folderRights(place.name);
  const above = inherited.filter((entry) => entry.who === who);
  const own = ownRights(place, who)[side];
  const wanted = changedRights(withRights(own, above.map((entry) => entry[side]).join('')), change);
  const held = above.find((entry) => withoutRights(entry[side], wanted) !== '');
  if (held !== undefined) return no(`${identifier} has rights here from ${held.from}, which hold for the folders below it: change them there`, 'CANNOT');
  await place.account.changeRights(place.name, who, (before) => ({ ...before, [side]: changedRights(before[side], change) }));
  session.log.info({ folder: place.name, owner: place.account.address, who: identifier, change: `${change.mode} ${change.rights}` }, 'rights on a folder were changed');
  return ok(`${verb} completed`);
}

function ownRights({ account, name }: HerePlace, who: string): Pick<RightsEntry, 'allow' | 'deny'> {
  return account.folderRights(name).own.find((entry) => entry.who === who) ?? { allow: '', deny: '' };
}

/** Whether nothing is allowed or denied by it that was not so before. */
function isTakenBack({ mode, rights }: RightsChange): boolean {
  return mode === 'remove' || (mode === 'replace' && rights === '');
}

/** What was given can be taken back also when its holder is gone, and when nobody can be asked about him. */
async function canonical(session: Session, { account, name }: HerePlace, { identifier, existence }: { readonly identifier: string; readonly existence: 'must exist' | 'may be gone' }): Promise<string> {
  const asGiven = identifier.toLowerCase();
  const domain = account.address.slice(account.address.lastIndexOf('@') + 1);
  const kept = account.folderRights(name).own.find(({ who }) => who === asGiven || who === `${asGiven}@${domain}`);
  if (existence === 'may be gone' && kept !== undefined) return kept.who;
  try {
    return await session.options.sharing.identifier(identifier, domain);
  } catch (error) {
    if (existence === 'may be gone' && error instanceof Failure && error.kind === 'unknown-user') return asGiven;
    if (error instanceof Failure && error.kind === 'unknown-user') throw new Failure('forbidden', error.message);
    throw error;
  }
}

export const getAcl = namedCommand({
  verb: 'GETACL',
  parse: (scanner, session) => ({ name: takeMailbox(scanner, session.names) }),
  run: async ({ session, place }, { name }) => {
    demand(place, 'a');
    mailboxAt(place);
    const entries = [[place.account.address, allRights] as const, ...toldEntries(place)];
    session.output.line(`* ACL ${formatMailbox(session, name)}${entries.map(([who, rights]) => ` ${formatIdentifier(who)} ${formatRights(rights)}`).join('')}`);
    return ok('GETACL completed');
  },
});

/** Who has or is denied what, be it by an entry of this folder or of one above. */
function toldEntries({ account, name }: HerePlace): readonly (readonly [who: string, rights: Rights])[] {
  const { own, inherited } = account.folderRights(name);
  const told = new Map<string, Rights>();
  const add = (who: string, rights: Rights): void => {
    if (rights !== '') told.set(who, withRights(told.get(who) ?? '', rights));
  };
  for (const { who, allow, deny } of [...own, ...inherited]) {
    add(who, allow);
    add(`-${who}`, deny);
  }
  return [...told];
}

export const listRights = namedCommand<OfIdentifier>({
  verb: 'LISTRIGHTS',
  parse: takeNameAndIdentifier,
  run: async ({ session, place }, { name, identifier }) => {
    demand(place, 'a');
    mailboxAt(place);
    const isOwner = (await canonical(session, place, { identifier: identifier.replace(/^-/, ''), existence: 'must exist' })) === place.account.address;
    const rights = isOwner ? formatRights(allRights) : `"" ${[...allRights, 'c', 'd'].join(' ')}`;
    session.output.line(`* LISTRIGHTS ${formatMailbox(session, name)} ${formatIdentifier(identifier)} ${rights}`);
    return ok('LISTRIGHTS completed');
  },
});

export const myRights = namedCommand({
  verb: 'MYRIGHTS',
  parse: (scanner, session) => ({ name: takeMailbox(scanner, session.names) }),
  run: async ({ session, place }, { name }) => {
    demand(place, [...'lrikxa'].find((right) => place.rights.includes(right)) ?? 'l');
    mailboxAt(place);
    session.output.line(myRightsLine(session, name, place.rights));
    return ok('MYRIGHTS completed');
  },
});

/** Also behind LIST (RFC 8440). */
export function myRightsLine(session: Session, name: string, rights: Rights): string {
  return `* MYRIGHTS ${formatMailbox(session, name)} ${formatRights(rights)}`;
}

function formatIdentifier(identifier: string): string {
  return formatAstring(utf8Bytes(identifier));
}
