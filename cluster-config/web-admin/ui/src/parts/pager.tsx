/** Reads a list page by page: what has come stays, more is added below. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { attempt } from '../../../../../shared/page/toasts.tsx';
import { get } from '../api.ts';
import { useResource } from '../resource.ts';
import type { Resource } from '../resource.ts';

interface Page {
  readonly next?: string | undefined;
}

export interface Pages<Value> {
  readonly first: Resource<Value>;
  /** Those after the first. */
  readonly rest: readonly Value[];
  /** Undefined when all is there. */
  readonly more: (() => Promise<void>) | undefined;
}

export function usePages<Value extends Page>(path: string, options: { readonly everyMs?: number } = {}): Pages<Value> {
  const rest = useSignal<readonly Value[]>([]);
  const busy = useSignal(false);
  const first = useResource<Value>(path, options);
  useEffect(() => {
    rest.value = [];
  }, [path, rest]);
  const last = rest.value.at(-1) ?? (first.state.at === 'ready' ? first.state.value : undefined);
  const next = last?.next;
  const more = async (): Promise<void> => {
    if (next === undefined || busy.peek()) return;
    busy.value = true;
    await attempt(async () => {
      const page = await get<Value>(`${path}${path.includes('?') ? '&' : '?'}after=${encodeURIComponent(next)}`);
      rest.value = [...rest.peek(), page];
    });
    busy.value = false;
  };
  return { first, rest: rest.value, more: next === undefined ? undefined : more };
}

export function More({ of }: { readonly of: Pages<never> | Pick<Pages<Page>, 'more'> }) {
  return of.more === undefined ? null : <button class="button more-button" type="button" onClick={() => void of.more?.()}>Show more</button>;
}
