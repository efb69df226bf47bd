/** What is shown, as the part of the address after `#`, so that Back, reload and bookmarks work: `#/accounts/alice@example.com`. */
import { signal } from '@preact/signals';

export interface Place {
  readonly screen: string;
  /** Further segments, decoded. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function readPlace(): Place {
  const [path = '', query = ''] = location.hash.slice(1).split('?', 2);
  const [, screen = '', ...parts] = path.split('/').map(decode);
  return { screen, parts: parts.filter((part) => part !== ''), query: new URLSearchParams(query) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export const place = signal<Place>(readPlace());

addEventListener('hashchange', () => {
  place.value = readPlace();
});

/** The address of a screen; fields that are empty are left out. */
export function hrefOf(segments: readonly string[], fields: Readonly<Record<string, string | undefined>> = {}): string {
  const query = new URLSearchParams(Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')).toString();
  return `#/${segments.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`;
}

/** `replace`: Back doesn't come here again, as after a filter changed. */
export function goTo(href: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') location.hash = href;
  else history.replaceState(null, '', href);
  place.value = readPlace();
}
