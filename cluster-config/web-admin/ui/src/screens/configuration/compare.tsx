/** Two texts compared by the node: what differs, and what of it would wait for a restart. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorText } from '../../../../../../shared/page/error-text.ts';
import { change } from '../../api.ts';
import { Trouble } from '../../parts/screen.tsx';
import { Difference } from './difference.tsx';
import { Consequences } from './findings.tsx';
import type { DiffView } from './views.ts';

interface CompareProps {
  /** What is in use, where a side is not given. */
  readonly sides: { readonly before?: { readonly version: number }; readonly after: { readonly version: number } | { readonly text: string } };
  readonly label: string;
  /** Another one compares anew. */
  readonly of: string;
}

type State = { readonly at: 'waiting' } | { readonly at: 'failed'; readonly why: string } | { readonly at: 'ready'; readonly difference: DiffView };

export function Compare({ sides, label, of }: CompareProps) {
  const state = useSignal<State>({ at: 'waiting' });
  useEffect(() => {
    let isStale = false;
    change<DiffView>('/configuration/diff', { method: 'POST', body: sides })
      .then((difference): State => ({ at: 'ready', difference }), (error: unknown): State => ({ at: 'failed', why: errorText(error) }))
      .then((next) => { if (!isStale) state.value = next; }, () => undefined);
    return () => { isStale = true; };
  }, [of, state]);
  const { value } = state;
  if (value.at === 'waiting') return <p class="waiting" role="status">Comparing …</p>;
  if (value.at === 'failed') return <Trouble text={value.why} />;
  return (
    <>
      <Difference hunks={value.difference.hunks} label={label} />
      <Consequences restarts={value.difference.restarts} warnings={[]} />
    </>
  );
}
