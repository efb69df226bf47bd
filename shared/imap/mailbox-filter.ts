/** Which mailboxes are meant: the specifiers of NOTIFY (RFC 5465 section 6) and ESEARCH (RFC 7377 section 2.2). Pure. */
import { takeMailbox } from './mailbox-arguments.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

export type MailboxFilter =
  | { readonly kind: 'selected' | 'selected-delayed' | 'inboxes' | 'personal' | 'subscribed' }
  /** `subtree`: these and all below them; `subtree-one`: these and their children. */
  | { readonly kind: 'subtree' | 'subtree-one' | 'mailboxes'; readonly names: ReadonlySet<string> };

export interface NamedMailbox {
  readonly name: string;
  readonly subscribed: boolean;
  /** `others`: a folder that somebody else shares. */
  readonly whose: 'own' | 'others';
}

const mostNames = 1000;

/** @throws bad-input */
export function takeMailboxFilter(scanner: Scanner, encoding: NameEncoding): MailboxFilter {
  const word = scanner.word().toLowerCase();
  switch (word) {
    case 'selected':
    case 'selected-delayed':
    case 'inboxes':
    case 'personal':
    case 'subscribed':
      return { kind: word };
    case 'subtree':
    case 'subtree-one':
    case 'mailboxes': {
      scanner.space();
      const names = scanner.peek() === '(' ? scanner.list(() => takeMailbox(scanner, encoding)) : [takeMailbox(scanner, encoding)];
      if (names.length > mostNames) throw malformed('too many mailboxes');
      return { kind: word, names: new Set(names) };
    }
    default:
      throw malformed('unknown kind of mailboxes');
  }
}

/**
 * Whether that mailbox of the account is meant; what `selected` means is not told by names. It takes as long however many names there are: a
 * command may hold tens of thousands, and an account thousands of mailboxes.
 */
export function isMeant(filter: MailboxFilter, { name, subscribed, whose }: NamedMailbox): boolean {
  switch (filter.kind) {
    case 'personal':
      return whose === 'own';
    case 'inboxes': // where mail is delivered
      return whose === 'own' && name === 'INBOX';
    case 'subscribed':
      return subscribed;
    case 'mailboxes':
      return filter.names.has(name);
    case 'subtree': {
      let level = name;
      while (level !== '' && !filter.names.has(level)) level = above(level);
      return level !== '';
    }
    case 'subtree-one':
      return filter.names.has(name) || filter.names.has(above(name));
    case 'selected':
    case 'selected-delayed':
      return false;
  }
}

/** Empty for a name of one level. */
function above(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}
