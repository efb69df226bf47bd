/** A text checked by the node while one writes. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorText } from '../../../../../../shared/page/error-text.ts';
import { change } from '../../api.ts';
import type { CheckView } from './views.ts';

/** After the last keystroke. */
const restMs = 400;

export type Checked =
  | { readonly at: 'waiting' }
  | { readonly at: 'failed'; readonly why: string }
  /** `of`: lines move while one writes, so findings hold for the text that was checked. */
  | { readonly at: 'ready'; readonly of: string; readonly found: CheckView };

export function useCheck(text: string): Checked {
  const state = useSignal<Checked>({ at: 'waiting' });
  useEffect(() => {
    let isStale = false;
    const check = async (): Promise<void> => {
      const next = await change<CheckView>('/configuration/check', { method: 'POST', body: { text } })
        .then((found): Checked => ({ at: 'ready', of: text, found }), (error: unknown): Checked => ({ at: 'failed', why: errorText(error) }));
      if (!isStale) state.value = next;
    };
    const timer = setTimeout(() => void check(), restMs);
    return () => {
      isStale = true;
      clearTimeout(timer);
    };
  }, [text, state]);
  return state.value;
}
