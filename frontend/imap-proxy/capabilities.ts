/** What the IMAP proxy announces before login: what all back-ends can, and what it does itself. Pure. */
import { LRUCache } from 'lru-cache';

/** What a connection may do before login. */
export interface LoginCapabilities {
  readonly mechanisms: readonly string[];
  readonly startTls: 'yes' | 'no';
  readonly passwordCommands: 'yes' | 'no';
}

/**
 * Of back-ends' words these are not passed on: what concerns the login is between us and the client; referrals (RFC 2221,
 * RFC 2193) name hosts that clients can't reach; after UNAUTHENTICATE (RFC 8437) nobody would be there to log in again.
 */
const notPassedOn = /^(?:AUTH=.*|STARTTLS|LOGINDISABLED|SASL-IR|ID|LITERAL[+-]|LOGIN-REFERRALS|MAILBOX-REFERRALS|UNAUTHENTICATE)$/i;

/** Greetings that were put together, by what the back-ends can, which hardly ever changes: every connection begins with one. */
const announced = new WeakMap<readonly string[], Map<string, string>>();
const none: readonly string[] = [];

/** The list, without the word CAPABILITY. `common`: undefined while no back-end has answered. */
export function announcedCapabilities(common: readonly string[] | undefined, own: LoginCapabilities): string {
  const lists = announced.get(common ?? none) ?? new Map<string, string>();
  const kind = `${own.mechanisms.join(' ')},${own.startTls},${own.passwordCommands}`;
  const list = lists.get(kind) ?? putTogether(common, own);
  announced.set(common ?? none, lists.set(kind, list));
  return list;
}

function putTogether(common: readonly string[] | undefined, { mechanisms, startTls, passwordCommands }: LoginCapabilities): string {
  const passed = (common ?? []).filter((word) => !notPassedOn.test(word));
  const revisions = passed.filter((word) => /^IMAP4rev/i.test(word));
  return [
    ...(revisions.length === 0 ? ['IMAP4rev1'] : revisions),
    'SASL-IR', 'ID', ...literals(common ?? []),
    ...passed.filter((word) => !revisions.includes(word)),
    ...mechanisms.map((mechanism) => `AUTH=${mechanism}`),
    ...(startTls === 'yes' ? ['STARTTLS'] : []),
    ...(passwordCommands === 'yes' ? [] : ['LOGINDISABLED']),
  ].join(' ');
}

/** The proxy takes both kinds, but a client goes on with what it has learned: so the back-ends must, too. */
function literals(common: readonly string[]): readonly string[] {
  const words = common.map((word) => word.toUpperCase());
  if (words.includes('LITERAL+')) return ['LITERAL+'];
  return words.includes('LITERAL-') ? ['LITERAL-'] : [];
}

/** Lists that were read: back-ends say the same at every login. */
const read = new LRUCache<string, readonly string[]>({ max: 100 });

/** The words of a CAPABILITY list of a back-end. Whoever has LITERAL+ has LITERAL- (RFC 7888 section 5). */
export function capabilityWords(list: string): readonly string[] {
  const known = read.get(list);
  if (known !== undefined) return known;
  const words = readWords(list);
  read.set(list, words);
  return words;
}

function readWords(list: string): readonly string[] {
  const words = list.split(' ').filter((word) => word !== '');
  return words.some((word) => word.toUpperCase() === 'LITERAL+') ? [...words, 'LITERAL-'] : words;
}

/** What a tagged OK tells of capabilities, if it does. */
export function capabilitiesInWelcome(welcome: string): readonly string[] | undefined {
  const list = /^\[CAPABILITY ([^\]]*)\]/i.exec(welcome)?.[1];
  return list === undefined ? undefined : capabilityWords(list);
}
