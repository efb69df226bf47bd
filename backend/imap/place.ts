/**
 * Where a mailbox name leads: into the user's own account, or to a folder of somebody else, here or on another node. Every command that names
 * a mailbox comes through here, and learns what the user may do there.
 */
import { Failure } from '../../shared/base/failure.ts';
import { allRights } from '../../shared/imap/rights.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import type { SharedFolder } from '../sharing/sharing.ts';
import type { Account, Mailbox } from '../storage/storage.ts';
import type { Session } from './session.ts';

/** In an account that this node keeps. */
export interface HerePlace {
  readonly at: 'here';
  readonly account: Account;
  /** As the owner calls it; there may be no such mailbox. */
  readonly name: string;
  readonly whose: 'own' | 'others';
  /** What the user may do there. */
  readonly rights: Rights;
}

/** On another node, which alone knows more. */
export interface AwayPlace {
  readonly at: 'away';
  readonly owner: string;
  readonly node: string;
}

export type Place = HerePlace | AwayPlace;

/** @throws Failure `mailbox-missing` for a name of nobody's folder, `directory-unavailable` */
export async function placeOf(session: Session, name: string): Promise<Place> {
  const own = ownPlace(session, name);
  if (own !== undefined) return own;
  const { sharing } = session.options;
  const foreign = foreignName(session, name);
  if (foreign === undefined) throw missing(); // a guest has none
  if (foreign.owner === session.account.address) return herePlace(session, session.account, foreign.name);
  if (!foreign.owner.includes('@')) throw missing();
  const owner = await sharing.ownerOf(foreign.owner);
  if (owner.at === 'none') throw missing();
  if (owner.at === 'here') return herePlace(session, owner.account, foreign.name);
  if (session.guest !== undefined) throw new Failure('backend-unavailable', 'the folder is on a third node'); // no chains of nodes
  return { at: 'away', owner: foreign.owner, node: owner.node };
}

/** The same where nobody has to be asked: the name is one of the user's own. */
export function ownPlace(session: Session, name: string): HerePlace | undefined {
  if (session.guest !== undefined || foreignName(session, name) !== undefined) return undefined;
  return { at: 'here', account: session.account, name, whose: 'own', rights: allRights };
}

/** The mailbox there, for what a right was demanded before. @throws Failure('mailbox-missing') */
export function mailboxAt({ account, name }: HerePlace): Mailbox {
  const mailbox = account.mailbox(name);
  if (mailbox === undefined) throw missing();
  return mailbox;
}

/** Whether it is in the account of the open mailbox. */
export function isOfOpenAccount({ state }: Session, { account }: HerePlace): boolean {
  return state.at === 'selected' && state.place.account.id === account.id;
}

/** @throws Failure `forbidden`; `mailbox-missing` where the user may not even know that there is such a mailbox (RFC 4314 section 6) */
export function demand({ rights }: Pick<HerePlace, 'rights'>, right: string): void {
  if (rights.includes(right)) return;
  if (!rights.includes('l')) throw missing();
  throw new Failure('forbidden', `you have not got the right for this (${right}) on that folder`);
}

/** The nearest folder above that exists, by which it is decided who may make one of that name. @throws Failure('mailbox-missing') when there is none */
export async function parentOf(session: Session, place: HerePlace): Promise<HerePlace> {
  if (place.whose === 'own') return place;
  const levels = place.name.split('/');
  for (let depth = levels.length - 1; depth > 0; depth -= 1) {
    const name = levels.slice(0, depth).join('/');
    if (place.account.mailbox(name) !== undefined) return herePlace(session, place.account, name);
  }
  throw missing();
}

/** Whether the open mailbox is somebody else's, so that what the user may do with it can change. */
export function hasOthersOpen({ state }: Session): boolean {
  return state.at === 'selected' && state.place.whose !== 'own';
}

/**
 * Looks again at what the user may do with the open mailbox of somebody else, as it may have changed. The session ends when it may not be read
 * any more, or is not here any more. @throws Failure('directory-unavailable')
 */
export async function refreshRights(session: Session): Promise<void> {
  const { state } = session;
  if (state.at !== 'selected' || state.place.whose === 'own') return;
  const { account } = state.place;
  const standing = account.standing();
  if (standing === 'away') return session.sayBye('the open mailbox can not be had for the time being', 'UNAVAILABLE');
  if (standing !== 'live' && standing !== 'held') return session.sayBye('the open mailbox has a new place, please reconnect');
  const current = account.mailboxById(state.view.mailbox.id)?.state().name;
  if (current === undefined) return session.sayBye('the open mailbox was deleted or replaced');
  state.view.rights = await session.options.sharing.rightsOf(session.visitor, account, current);
  if (!state.view.rights.includes('r')) session.sayBye('you may not read the open mailbox any more');
}

/** The same before anything of the open mailbox is told; while nobody can say what the user may do, what could be said last holds. Never rejects. */
export async function lookAtRights(session: Session): Promise<void> {
  try {
    await refreshRights(session);
  } catch (error) {
    session.log.warn({ err: error }, 'could not look at the rights on the open mailbox');
  }
}

/** How a user names a folder that somebody shares; undefined for addresses that can't stand in a name. */
export function nameOfShared(session: Session, { owner, name }: Pick<SharedFolder, 'owner' | 'name'>): string | undefined {
  const { namespaces: { otherUsers, publicFolders }, publicOwnerOf } = session.options.sharing;
  if (owner === publicOwnerOf(session.visitor)) return `${publicFolders}/${name}`;
  return /[/%*]/.test(owner) ? undefined : `${otherUsers}/${owner}/${name}`;
}

/** By the name alone, whether there is such a mailbox or not. */
export function whoseName(session: Session, name: string): 'own' | 'others' {
  return foreignName(session, name) === undefined ? 'own' : 'others';
}

/** Likewise whose folder it is; empty for the level above all of them, undefined where it is the user's own. */
export function ownerNamed(session: Session, name: string): string | undefined {
  return foreignName(session, name)?.owner;
}

function foreignName(session: Session, name: string): { readonly owner: string; readonly name: string } | undefined {
  const { namespaces: { otherUsers, publicFolders }, publicOwnerOf } = session.options.sharing;
  if (isBelow(name, otherUsers)) {
    const [owner = '', ...levels] = name.slice(otherUsers.length + 1).split('/');
    return { owner: owner.toLowerCase(), name: levels.join('/') };
  }
  const owner = isBelow(name, publicFolders) ? publicOwnerOf(session.visitor) : undefined;
  return owner === undefined ? undefined : { owner, name: name.slice(publicFolders.length + 1) };
}

function isBelow(name: string, namespace: string): boolean {
  return name === namespace || name.startsWith(`${namespace}/`);
}

async function herePlace(session: Session, account: Account, name: string): Promise<HerePlace> {
  const rights = await session.options.sharing.rightsOf(session.visitor, account, name);
  return { at: 'here', account, name, whose: account.address === session.visitor ? 'own' : 'others', rights };
}

function missing(): Failure {
  return new Failure('mailbox-missing', 'no such mailbox');
}
