/** What was read from the API for a screen, read again now and then while somebody looks. */
import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { errorText } from '../../../../shared/page/error-text.ts';
import { get } from './api.ts';
import type { Activity } from './api.ts';

export type Loaded<Value> =
  | { readonly at: 'loading' }
  | { readonly at: 'failed'; readonly why: string }
  /** `trouble`: why it could not be read again since; empty when all is well. */
  | { readonly at: 'ready'; readonly value: Value; readonly readAtMs: number; readonly trouble: string };

export interface Resource<Value> {
  readonly state: Loaded<Value>;
  readonly reload: () => Promise<void>;
}

/** `path` undefined: nothing is read. A new path begins anew. */
export function useResource<Value>(path: string | undefined, { everyMs }: { readonly everyMs?: number } = {}): Resource<Value> {
  const state = useSignal<Loaded<Value>>({ at: 'loading' });
  const current = useRef<AbortController>(undefined);
  const read = useCallback(async (activity: Activity): Promise<void> => {
    if (path === undefined) return;
    // Who polls waits for a slow answer instead of asking ever anew.
    if (activity === 'background' && current.current?.signal.aborted === false) return;
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    try {
      const value = await get<Value>(path, { activity, signal: controller.signal });
      if (!controller.signal.aborted) state.value = { at: 'ready', value, readAtMs: Date.now(), trouble: '' };
    } catch (error) {
      if (controller.signal.aborted) return;
      const before = state.peek();
      state.value = before.at === 'ready' ? { ...before, trouble: errorText(error) } : { at: 'failed', why: errorText(error) };
    } finally {
      if (current.current === controller) current.current = undefined;
    }
  }, [path, state]);
  useEffect(() => {
    state.value = { at: 'loading' };
    void read('user');
    const timer = everyMs === undefined ? undefined : setInterval(() => {
      if (!document.hidden) void read('background');
    }, everyMs);
    return () => {
      clearInterval(timer);
      current.current?.abort();
    };
  }, [read, everyMs, state]);
  return { state: state.value, reload: useCallback(async () => read('user'), [read]) };
}
