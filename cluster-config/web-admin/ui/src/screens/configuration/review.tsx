/** The last look before a text is published: what differs from what is in use, what would come of it, and what it is for. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { showNote } from '../../../../../../shared/page/toasts.tsx';
import { ApiError, change } from '../../api.ts';
import { Act } from '../../parts/act.tsx';
import { Card } from '../../parts/screen.tsx';
import { useCheck } from './check.ts';
import { Compare } from './compare.tsx';
import type { Draft } from './draft.ts';
import { Consequences } from './findings.tsx';
import type { PresentView, PublishedView } from './views.ts';

interface ReviewProps {
  readonly view: PresentView;
  readonly mine: Draft;
  readonly back: () => void;
  /** Reads anew what is in use. */
  readonly reload: () => Promise<void>;
  readonly published: () => Promise<void>;
}

export function Review({ view, mine, back, reload, published }: ReviewProps) {
  const message = useSignal('');
  const frame = useRef<HTMLDivElement>(null);
  const checked = useCheck(mine.text);
  useEffect(() => frame.current?.focus(), []);
  const isGood = checked.at === 'ready' && checked.found.good;
  const publish = async (): Promise<void> => {
    try {
      const { number, silent } = await change<PublishedView>('/configuration/publish', { method: 'POST', body: { text: mine.text, after: mine.number, message: message.peek() } });
      showNote(`Version ${String(number)} is published.${silent.length === 0 ? '' : ` ${silent.map(({ node }) => node).join(', ')} did not answer.`}`);
      await published();
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'in-use') await reload(); // says who was first
      throw error;
    }
  };
  return (
    <div ref={frame} tabIndex={-1} class="review">
      <Card title={view.source === 'file' ? 'What differs from the file' : `What differs from version ${String(view.number)}`} actions={<button class="button button-small" type="button" onClick={back}>Back to the text</button>}>
        <Compare of={`${view.digest} ${mine.text}`} sides={{ after: { text: mine.text } }} label="What differs" />
        {checked.at === 'ready' && !checked.found.good && <p class="notice notice-error">The text has mistakes; no node would take it. Go back to the text to see them.</p>}
        {checked.at === 'ready' && <Consequences restarts={[]} warnings={checked.found.warnings} />}
        {view.readOnly === undefined && (
          <div class="panel-body publish-form">
            <label class="field"><span>What for</span>
              <input type="text" maxLength={240} value={message.value} onInput={(event) => { message.value = event.currentTarget.value; }} />
              <small class="hint">It stands in the history, with your name.</small>
            </label>
            {isGood && <Act looks="primary" does={publish}>Publish</Act>}
          </div>
        )}
      </Card>
    </div>
  );
}
