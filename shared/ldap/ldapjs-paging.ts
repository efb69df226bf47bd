/** Results in pages (RFC 2696), by the control that ldapjs has and its published types don't. */
import ldapjs from 'ldapjs';

export interface Page {
  readonly size: number;
  /** What the server gave with the page before; empty for the first. */
  readonly cookie: Buffer;
}

interface PagedResultsControl { readonly type: string; readonly value: Page }
const { PagedResultsControl: Control } = ldapjs as unknown as { readonly PagedResultsControl: new (options: { readonly value: Page }) => PagedResultsControl };
export const pagedResultsOid = '1.2.840.113556.1.4.319';

export function pageControls(page: Page | undefined): readonly PagedResultsControl[] {
  return page === undefined ? [] : [new Control({ value: page })];
}

/** The page that a request asks for. */
export function askedPage(controls: readonly { readonly type: string }[]): Page | undefined {
  return (controls.find(({ type }) => type === pagedResultsOid) as PagedResultsControl | undefined)?.value;
}

/** The cookie for the next page; undefined after the last, and where the server knows no pages. */
export function nextPage(controls: readonly { readonly type: string }[]): Buffer | undefined {
  const page = askedPage(controls);
  return page === undefined || page.cookie.length === 0 ? undefined : page.cookie;
}
