/** What is shown, as the part of the address after `#`: so that Back, reload and bookmarks work. `#/folder`, `#/folder/message`. */
import { signal } from '@preact/signals';

export interface Route {
  readonly mailbox: number | undefined;
  readonly uid: number | undefined;
}

function readRoute(): Route {
  const [, mailbox, uid] = /^#\/(\d+)(?:\/(\d+))?$/.exec(location.hash) ?? [];
  return { mailbox: mailbox === undefined ? undefined : Number(mailbox), uid: uid === undefined ? undefined : Number(uid) };
}

export const route = signal<Route>(readRoute());

addEventListener('hashchange', () => {
  route.value = readRoute();
});

export function hrefOf(mailbox: number, uid?: number): string {
  return uid === undefined ? `#/${String(mailbox)}` : `#/${String(mailbox)}/${String(uid)}`;
}

/** `replace`: Back doesn't come here again, as after a message was deleted. */
export function goTo(mailbox: number, uid?: number, how: 'push' | 'replace' = 'push'): void {
  const href = hrefOf(mailbox, uid);
  if (how === 'push') location.hash = href;
  else history.replaceState(null, '', href);
  route.value = readRoute();
}

/** Back to the beginning. */
export function leavePlace(): void {
  history.replaceState(null, '', location.pathname);
  route.value = readRoute();
}
