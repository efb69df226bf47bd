/** URLFETCH of messages that another node keeps (RFC 4467): a client comes by a front-end and can't choose its node, so the owner's is asked, as for a guest. It alone decides, and its answer goes on as it comes. */
import { isFailure } from '../../shared/base/failure.ts';
import { withoutWaiting } from '../../shared/imap/relayed-text.ts';
import { formatString } from '../../shared/imap/strings.ts';
import type { UrlToFetch } from '../../shared/imap/url-arguments.ts';
import type { Leg } from './leg.ts';
import type { AwayPlace } from './place.ts';
import type { Session } from './session.ts';

/** Where the mail of that user is, if another node has it. @throws Failure('directory-unavailable') */
export async function awayOwner(session: Session, address: string): Promise<AwayPlace | undefined> {
  if (session.guest !== undefined || !address.includes('@')) return undefined; // no chains of nodes
  const owner = await session.options.sharing.ownerOf(address);
  return owner.at === 'node' ? { at: 'away', owner: address, node: owner.node } : undefined;
}

/** Answers whether the client was told anything: not of an account that is gone, nor by a node of an older version. @throws Failure('backend-unavailable') */
export async function fetchAway(session: Session, place: AwayPlace, wanted: UrlToFetch): Promise<'told' | 'nothing'> {
  try {
    return await session.legs.during(place, async (leg) => fetchOn(session, leg, wanted));
  } catch (error) {
    if (isFailure(error, 'mailbox-missing')) return 'nothing';
    throw error;
  }
}

async function fetchOn(session: Session, leg: Leg, { url, items }: UrlToFetch): Promise<'told' | 'nothing'> {
  let told: 'told' | 'nothing' = 'nothing';
  const tag = leg.newTag();
  leg.begin('command');
  await leg.say(withoutWaiting(`${tag} URLFETCH ${items === undefined ? formatString(url) : `(${[formatString(url), ...items].join(' ')})`}`));
  await leg.end(tag, (line) => {
    if (session.abandoned) leg.close();
    if (line.startsWith('* URLFETCH ')) told = 'told';
    return 'pass on';
  });
  return told;
}
