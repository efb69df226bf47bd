/** The editor of the configuration: the text that is in use, changed, checked while one writes, compared, and published. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { attempt } from '../../../../../../shared/page/toasts.tsx';
import { change } from '../../api.ts';
import { ask } from '../../parts/question.tsx';
import { Card, Shown } from '../../parts/screen.tsx';
import { useResource } from '../../resource.ts';
import { place } from '../../route.ts';
import { useCheck } from './check.ts';
import { draft, keepDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { Findings } from './findings.tsx';
import { Review } from './review.tsx';
import { Standings } from './standings.tsx';
import { jumpTo, TextArea } from './text-area.tsx';
import type { AreaRef } from './text-area.tsx';
import type { PlaceView, PresentView } from './views.ts';

export function Editor() {
  const present = useResource<PresentView>('/configuration');
  const mode = useSignal<'writing' | 'reviewing' | 'published'>('writing');
  return (
    <Shown of={present}>
      {(view) => {
        const mine = draft.value ?? { text: view.text, number: view.number, digest: view.digest };
        return (
          <>
            <Notices view={view} mine={mine} />
            {mode.value === 'published' && <Standings />}
            {mode.value === 'reviewing'
              ? <Review view={view} mine={mine} back={() => { mode.value = 'writing'; }} reload={present.reload} published={async () => {
                keepDraft(undefined);
                await present.reload();
                mode.value = 'published';
              }} />
              : <Writing view={view} mine={mine} review={() => { mode.value = 'reviewing'; }} />}
          </>
        );
      }}
    </Shown>
  );
}

interface TextProps {
  readonly view: PresentView;
  readonly mine: Draft;
}

/** What must be known before anything is changed. */
function Notices({ view, mine }: TextProps) {
  if (view.readOnly !== undefined) {
    return (
      <p class="notice notice-warn"><span>{view.readOnly}{view.file !== undefined && <> This is {view.node}’s: <code>{view.file}</code>. Here you can write, check and compare a text, and save it as a file.</>}</span></p>
    );
  }
  if (mine.digest === view.digest) return null;
  return (
    <div class="notice notice-error" role="alert">
      <span>Version {view.number} was published by {view.by} since you began with version {mine.number}{view.message === '' ? '' : ` (${view.message ?? ''})`}. What you publish now would take back what it changed, unless your text has it too: compare before you go on.</span>
      <button class="button button-small" type="button" onClick={() => keepDraft({ text: mine.text, number: view.number, digest: view.digest })}>Go on from version {view.number}</button>
      <button class="button button-small" type="button" onClick={() => keepDraft(undefined)}>Discard my changes</button>
    </div>
  );
}

function Writing({ view, mine, review }: TextProps & { readonly review: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const checked = useCheck(mine.text);
  usePlace(area, mine.text);
  const write = (text: string): void => void keepDraft(text === view.text && mine.digest === view.digest ? undefined : { ...mine, text });
  const open = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) write(await file.text());
  };
  const isChanged = mine.text !== view.text;
  const marked = checked.at === 'ready' && checked.of === mine.text ? checked.found.problems.flatMap(({ line }) => line ?? []) : [];
  return (
    <Card title={view.source === 'file' ? 'The file' : `Version ${String(mine.number)}${isChanged ? ', changed' : ''}`} actions={(
      <div class="acts-row">
        <label class="button button-small file-button">Open a file …<input type="file" accept=".yaml,.yml,.json,text/*" onChange={(event) => void open(event.currentTarget.files?.[0])} /></label>
        <button class="button button-small" type="button" onClick={() => saveAsFile(mine.text)}>Save as a file</button>
        {isChanged && <button class="button button-small" type="button" onClick={() => void discard(area)}>Discard …</button>}
        <button class="button button-small button-primary" type="button" disabled={!isChanged} onClick={review}>{view.readOnly === undefined ? 'Review and publish …' : 'Compare …'}</button>
      </div>
    )}>
      <TextArea area={area} text={mine.text} marked={new Set(marked)} write={write} />
      <Findings checked={checked} text={mine.text} jump={(finding) => jumpTo(area.current, finding)} />
    </Card>
  );
}

function saveAsFile(text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/yaml' }));
  link.download = 'waybill.yaml';
  link.click();
  URL.revokeObjectURL(link.href);
}

async function discard(area: AreaRef): Promise<void> {
  const reply = await ask({ title: 'Discard your changes?', verb: 'Discard them', danger: 'yes', text: <p>The text becomes again what is in use. What you wrote is lost.</p> });
  if (reply.kind === 'no') return;
  keepDraft(undefined);
  area.current?.focus();
}

/** Goes to the parameter that the address names: `?node=fe1&at=administration.administrators[0]`. */
function usePlace(area: AreaRef, text: string): void {
  const { query } = place.value;
  const [node, path] = [query.get('node'), query.get('at')];
  useEffect(() => {
    if (node === null || path === null) return;
    void attempt(async () => jumpTo(area.current, await change<PlaceView>('/configuration/locate', { method: 'POST', body: { text, node, path } })));
    // Once for an address, not with each keystroke.
  }, [node, path]);
}
