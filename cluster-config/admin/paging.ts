/** Pages of a sorted list for the admin API. Pure. */

export interface PageWanted {
  readonly search?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Of all pages. */
  readonly total: number;
  /** Undefined on the last. */
  readonly next: string | undefined;
}

/** @param all sorted by `key` in the order of code units; `texts` is where `search` is looked for */
export function pageOf<T>(all: readonly T[], { search, after, limit }: PageWanted, { key, texts }: { readonly key: (one: T) => string; readonly texts: (one: T) => readonly string[] }): Page<T> {
  const wanted = search?.toLowerCase();
  const found = wanted === undefined ? all : all.filter((one) => texts(one).some((text) => text.toLowerCase().includes(wanted)));
  const rest = after === undefined ? found : found.filter((one) => key(one) > after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, total: found.length, next: rest.length > items.length && last !== undefined ? key(last) : undefined };
}
