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

interface Options {
  readonly everyMs?: number;
}

type Read<Value> = (activity: Activity, signal: AbortSignal) => Promise<Value>;

/** What is at a path. */
export function useResource<Value>(path: string, options: Options = {}): Resource<Value> {
  return useReading<Value>(path, async (activity, signal) => get<Value>(path, { activity, signal }), options);
}

/** What each node said, or why it said nothing. */
export interface Said<Value> {
  readonly answers: readonly { readonly node: string; readonly answer: Value }[];
  readonly silent: readonly { readonly node: string; readonly why: string }[];
}

/** The same question to several nodes. */
export function useNodeAnswers<Value>(nodes: readonly string[], path: (node: string) => string, options: Options = {}): Resource<Said<Value>> {
  return useReading<Said<Value>>(nodes.map(path).join(' '), async (activity, signal) => {
    const said = await Promise.allSettled(nodes.map(async (node) => ({ node, answer: await get<Value>(path(node), { activity, signal }) })));
    return {
      answers: said.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
      silent: said.flatMap((one, index) => (one.status === 'rejected' ? [{ node: nodes[index] ?? '', why: errorText(one.reason) }] : [])),
    };
  }, options);
}

/** Whatever `read` reads; another `key` begins anew. */
export function useReading<Value>(key: string, read: Read<Value>, { everyMs }: Options): Resource<Value> {
  const reading = useRef(read);
  reading.current = read;
  const state = useSignal<Loaded<Value>>({ at: 'loading' });
  const current = useRef<AbortController>(undefined);
  const readNow = useCallback(async (activity: Activity): Promise<void> => {
    // Who polls waits for a slow answer instead of asking ever anew.
    if (activity === 'background' && current.current?.signal.aborted === false) return;
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    try {
      const value = await reading.current(activity, controller.signal);
      if (!controller.signal.aborted) state.value = { at: 'ready', value, readAtMs: Date.now(), trouble: '' };
    } catch (error) {
      if (controller.signal.aborted) return;
      const before = state.peek();
      state.value = before.at === 'ready' ? { ...before, trouble: errorText(error) } : { at: 'failed', why: errorText(error) };
    } finally {
      if (current.current === controller) current.current = undefined;
    }
  }, [key, state]);
  useEffect(() => {
    state.value = { at: 'loading' };
    void readNow('user');
    const timer = everyMs === undefined ? undefined : setInterval(() => {
      if (!document.hidden) void readNow('background');
    }, everyMs);
    return () => {
      clearInterval(timer);
      current.current?.abort();
    };
  }, [readNow, everyMs, state]);
  return { state: state.value, reload: useCallback(async () => readNow('user'), [readNow]) };
}
