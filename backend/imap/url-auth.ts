/** GENURLAUTH, RESETKEY and URLFETCH (RFC 4467, RFC 5524): users let others read a message or a part of it by a URL. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import type { MessageUrl } from '../../shared/imap/imap-url.ts';
import { malformed } from '../../shared/imap/scanner.ts';
import { formatString } from '../../shared/imap/strings.ts';
import type { StringForm } from '../../shared/imap/strings.ts';
import { formatBody } from '../../shared/imap/structure-response.ts';
import { parseKeyReset, parseUrlsToAuthorise, parseUrlsToFetch } from '../../shared/imap/url-arguments.ts';
import type { UrlItem, UrlToAuthorise, UrlToFetch } from '../../shared/imap/url-arguments.ts';
import type { Account } from '../storage/storage.ts';
import { accountCommand } from './command.ts';
import { partAt, prepareContent, sendContent } from './fetch-content.ts';
import { Refusal, bad, ok } from './replies.ts';
import type { Session } from './session.ts';
import { messageOf, parseUrl } from './url-content.ts';
import { awayOwner, fetchAway } from './url-fetch-away.ts';
import { isTokenFor, tokenFor } from './url-tokens.ts';

const mechanism = 'INTERNAL';
/** RFC 4467 section 8: told by SELECT and RESETKEY. */
export const urlMechanisms = `URLMECH ${mechanism}`;

export const genUrlAuth = accountCommand({
  verb: 'GENURLAUTH',
  parse: parseUrlsToAuthorise,
  run: async ({ session, account }, urls) => {
    const authorised: string[] = [];
    for (const each of urls) authorised.push(await authorise(account, each));
    session.output.line(`* GENURLAUTH ${authorised.map(formatString).join(' ')}`);
    return ok('GENURLAUTH completed');
  },
});

/** The user's own messages only, by a URL that says whose they are (RFC 4467 section 7). */
async function authorise(account: Account, { url: text, mechanism: wanted }: UrlToAuthorise): Promise<string> {
  const url = parseUrl(text, undefined);
  const authorisation = url?.authorisation;
  if (url === undefined || authorisation === undefined || authorisation.proof !== undefined) throw malformed('expected the URL of a message, with URLAUTH and who may use it');
  if (wanted !== mechanism) throw malformed(`unknown mechanism: there is ${mechanism}`);
  if (!isUser(url.server?.user, account.address)) throw malformed('the URL must name the server, and you as its user by your whole address');
  const mailbox = account.mailbox(url.mailbox);
  if (mailbox === undefined || (url.uidValidity !== undefined && url.uidValidity !== mailbox.state().uidValidity)) throw malformed('there is no such mailbox');
  const key = await mailbox.ensureUrlKey();
  return `${text}:${mechanism.toLowerCase()}:${tokenFor(key, authorisation.rump)}`;
}

function isUser(name: string | undefined, address: string): boolean {
  return name?.toLowerCase() === address;
}

export const resetKey = accountCommand({
  verb: 'RESETKEY',
  parse: (scanner, session) => parseKeyReset(scanner, session.names),
  run: async ({ account }, { mailbox, mechanisms }) => {
    if (mechanisms.some((one) => one !== mechanism)) return bad(`unknown mechanism: there is ${mechanism}`);
    if (mailbox !== undefined) {
      const named = account.mailbox(mailbox);
      if (named === undefined) throw new Failure('mailbox-missing', 'no such mailbox');
      await named.dropUrlKey();
      return ok('what was authorised of it is so no more', urlMechanisms);
    }
    for (const { id } of account.mailboxes()) await account.mailboxById(id)?.dropUrlKey();
    return ok('what was authorised is so no more');
  },
});

export const urlFetch = accountCommand({
  verb: 'URLFETCH',
  parse: parseUrlsToFetch,
  run: async ({ session }, urls) => {
    for (const each of urls) {
      if (session.abandoned) break;
      await send(session, each);
      await session.output.flush();
    }
    return ok('URLFETCH completed');
  },
});

/** NIL for whatever is wrong with the URL (RFC 4467 section 8). */
async function send(session: Session, wanted: UrlToFetch): Promise<void> {
  const { output } = session;
  const { url: text, items } = wanted;
  const url = usableUrl(session, text);
  const away = url === undefined ? undefined : await awayOwner(session, url.owner);
  if (away !== undefined && (await fetchAway(session, away, wanted)) === 'told') return;
  const owner = url === undefined || away !== undefined ? undefined : ownerOf(session, url);
  const parts = url === undefined || owner === undefined ? undefined : await contentsOf(owner, url, { items, strings: session.strings }).catch(nothingIfRefused);
  output.add(`* URLFETCH ${formatString(text)}`);
  if (parts === undefined) output.line(' NIL');
  else {
    for (const part of parts) {
      output.add(part.lead);
      await part.send(session);
      output.add(part.end);
    }
    output.line('');
  }
}

/** What can't be decoded of one URL says nothing of the others. */
function nothingIfRefused(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
}

/** A URL that somebody authorised, whoever did, for this reader. */
interface UsableUrl extends MessageUrl {
  readonly owner: string;
  readonly proven: { readonly token: string; readonly rump: string };
}

function usableUrl(session: Session, text: string): UsableUrl | undefined {
  const url = parseUrl(text, undefined);
  const { proof, access, rump, expiresMs } = url?.authorisation ?? {};
  if (url?.server?.user === undefined || proof?.mechanism !== mechanism || access === undefined || rump === undefined) return undefined;
  if (expiresMs !== undefined && expiresMs <= Date.now()) return undefined;
  if (access.kind === 'submit') return undefined; // for who submits a message in the user's name: nobody does so by IMAP
  if (access.kind === 'user' && !isUser(access.user, session.visitor)) return undefined;
  return { ...url, owner: url.server.user.toLowerCase(), proven: { token: proof.token, rump } };
}

/** Whose message it is, if he authorised the URL. Accounts are only looked for: no URL makes one. */
function ownerOf(session: Session, { owner: address, mailbox: name, proven }: UsableUrl): Account | undefined {
  const found = session.options.storage.find(address);
  const owner = found.at === 'live' && found.account.standing() === 'live' ? found.account : undefined;
  // Compared under some key in any case, so that the time tells nothing of the mailboxes that a user has.
  const key = owner?.mailbox(name)?.urlKey() ?? randomBytes(32);
  return isTokenFor(proven.token, key, proven.rump) ? owner : undefined;
}

interface Part {
  readonly lead: string;
  readonly send: (session: Session) => Promise<void>;
  readonly end: string;
}

async function contentsOf(owner: Account, url: MessageUrl, { items, strings }: { readonly items: readonly UrlItem[] | undefined; readonly strings: StringForm }): Promise<readonly Part[] | undefined> {
  const message = messageOf(owner, url);
  if (message === undefined) return undefined;
  const { section, partial } = url;
  const bytes = async (kind: 'section' | 'binary', around: { readonly lead: string; readonly end: string }): Promise<Part | undefined> => {
    if (kind === 'binary' && section.of !== 'all') return undefined;
    const content = await prepareContent(message, { kind, label: '', section, partial, marksSeen: 'no' });
    return content.kind === 'missing' ? undefined : { ...around, send: async (session) => sendContent(session, message, content) };
  };
  if (items === undefined) {
    const whole = await bytes('section', { lead: ' ', end: '' });
    return whole === undefined ? undefined : [whole];
  }
  const parts: Part[] = [];
  for (const item of items) {
    const part = item === 'BODYPARTSTRUCTURE' ? structurePart(partAt(message, section), strings) : await bytes(item === 'BINARY' ? 'binary' : 'section', { lead: ` (${item} `, end: ')' });
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

function structurePart(part: ReturnType<typeof partAt>, strings: StringForm): Part | undefined {
  if (part === undefined) return undefined;
  return { lead: ` (BODYPARTSTRUCTURE ${formatBody(part, { data: 'extended', strings })}`, send: async () => Promise.resolve(), end: ')' };
}
