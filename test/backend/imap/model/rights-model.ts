/** Rights on the owner's mailboxes (RFC 4314), of whoever has some: sets of letters, and what each of them lets somebody do. */
import type { AccountModel, ModelMailbox } from './mailbox-model.ts';

export const allRights = 'lrswipkxtea';

/** What a mailbox name leads to, for one who says it. */
export interface Spot {
  /** As the client says it. */
  readonly text: string;
  /** As its owner calls it. */
  readonly name: string;
  readonly account: AccountModel;
  readonly mailbox: ModelMailbox | undefined;
  readonly whose: 'own' | 'others';
  readonly rights: string;
}

/** What of another node's folders the user's own node was last told, when it asked: names with rights. */
export interface Remembered {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly visible: ReadonlyMap<string, string>;
}

/** Each letter once, in order. */
export function inOrder(letters: string): string {
  return [...allRights].filter((letter) => letters.includes(letter)).join('');
}

/** As responses have them, with the letters of RFC 2086 behind (RFC 4314 section 2.1.1). */
export function written(rights: string): string {
  return `${rights}${/[kx]/.test(rights) ? 'c' : ''}${/[te]/.test(rights) ? 'd' : ''}`;
}

/** What somebody may do by what is granted to him and to all, less what is denied to either. */
export function rightsOf({ grants }: ModelMailbox, address: string): string {
  const given = (who: string): string => grants.get(who) ?? '';
  const denied = given(`-${address}`) + given('-anyone');
  return [...inOrder(given(address) + given('anyone'))].filter((right) => !denied.includes(right)).join('');
}

/** Why one who has not got that right is refused: by the code that hides what he may not see (RFC 4314 section 6); undefined: he is not. */
export function refusal({ mailbox, rights }: Spot, right: string): 'NOPERM' | 'NONEXISTENT' | undefined {
  if (mailbox === undefined) return 'NONEXISTENT';
  return rights.includes(right) ? undefined : rights.includes('l') ? 'NOPERM' : 'NONEXISTENT';
}

/** Whether the flag may be set and cleared (RFC 4314 section 4). */
export function mayFlag(rights: string, flag: string): boolean {
  return rights.includes(flag === '\\Seen' ? 's' : flag === '\\Deleted' ? 't' : 'w');
}

/** SELECT of who may change nothing is as EXAMINE (RFC 4314 section 5.2). */
export function accessBy(rights: string): 'read-write' | 'read-only' {
  return /[swtei]/.test(rights) ? 'read-write' : 'read-only';
}
