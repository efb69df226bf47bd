/** The text that somebody is at: kept while one looks at other screens or reloads the page, gone with the tab and with the sign-out. */
import { signal } from '@preact/signals';

export interface Draft {
  readonly text: string;
  /** The version that it was made from, and its digest. */
  readonly number: number;
  readonly digest: string;
}

const place = 'waybill-configuration-draft';

/** Undefined while nothing differs from what is in use. */
export const draft = signal<Draft | undefined>(read());

/** Answers whether a reload finds it: not where the browser has no room or does not allow it. */
export function keepDraft(kept: Draft | undefined): boolean {
  draft.value = kept;
  try {
    if (kept === undefined) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

function read(): Draft | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(place) ?? 'null') as Partial<Draft> | null;
    return typeof kept?.text === 'string' && typeof kept.number === 'number' && typeof kept.digest === 'string' ? { text: kept.text, number: kept.number, digest: kept.digest } : undefined;
  } catch {
    return undefined;
  }
}
