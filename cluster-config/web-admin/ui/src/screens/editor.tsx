/** A document in an editor that marks the lines with mistakes. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { change } from '../api.ts';
import { countText } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { Card } from '../parts/screen.tsx';
import type { CheckView } from '../views.ts';

type Problem = CheckView['problems'][number];

export function Editor() {
  const text = useSignal('');
  const checked = useSignal<{ readonly of: string; readonly found: CheckView } | undefined>(undefined);
  const area = useRef<HTMLTextAreaElement>(null);
  const check = async (): Promise<void> => {
    const of = text.peek();
    checked.value = { of, found: await change<CheckView>('/configuration/check', { method: 'POST', body: { text: of } }) };
  };
  const open = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    text.value = await file.text();
    checked.value = undefined;
  };
  // Lines move while one writes: marks hold for the text that was checked.
  const problems = checked.value !== undefined && checked.value.of === text.value ? checked.value.found.problems : [];
  return (
    <Card title="Check a document" actions={(
      <div class="acts-row">
        <label class="button button-small file-button">Open a file …<input type="file" accept=".yaml,.yml,.json,text/*" onChange={(event) => void open(event.currentTarget.files?.[0])} /></label>
        <Act looks="small" does={check}>Check</Act>
      </div>
    )}>
      <TextArea area={area} text={text.value} problems={problems} write={(value) => { text.value = value; }} />
      <div role="status">
        {checked.value !== undefined && <Findings found={checked.value.found} isOld={checked.value.of !== text.value} jump={(problem) => jumpTo(area.current, problem)} />}
      </div>
    </Card>
  );
}

interface TextAreaProps {
  readonly area: { current: HTMLTextAreaElement | null };
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly write: (text: string) => void;
}

function TextArea({ area, text, problems, write }: TextAreaProps) {
  const gutter = useRef<HTMLDivElement>(null);
  const marked = new Set(problems.map(({ line }) => line));
  const lines = text.split('\n').length;
  return (
    <div class="editor">
      <div ref={gutter} class="editor-lines" aria-hidden="true">
        {Array.from({ length: lines }, (_, index) => <div key={index} class={marked.has(index + 1) ? 'line-wrong' : undefined}>{index + 1}</div>)}
      </div>
      <textarea ref={area} class="editor-text" aria-label="Document (YAML)" aria-invalid={problems.length > 0} spellcheck={false} autocapitalize="none" autocomplete="off" wrap="off" rows={18} value={text}
        placeholder="Paste a configuration here, or open a file, and let it be checked. Nothing is changed by that."
        onInput={(event) => write(event.currentTarget.value)}
        onScroll={(event) => {
          if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
        }} />
    </div>
  );
}

function Findings({ found, isOld, jump }: { readonly found: CheckView; readonly isOld: boolean; readonly jump: (problem: Problem) => void }) {
  if (isOld) return <p class="panel-foot">Changed since it was checked.</p>;
  if (found.good) return <p class="notice">The document is good{found.nodes === undefined ? '' : ` for ${countText(found.nodes.length, 'node')}: ${found.nodes.map(({ name }) => name).join(', ')}`}.</p>;
  return (
    <div class="findings">
      <p class="notice notice-error">{countText(found.problems.length, 'mistake')}: no node would take this document.</p>
      <ul>
        {found.problems.map((problem) => (
          <li key={`${problem.path} ${problem.text}`}>
            <button class="finding" type="button" onClick={() => jump(problem)}>
              <span class="finding-place">{problem.line === undefined ? 'document' : `line ${String(problem.line)}${problem.column === undefined ? '' : `, column ${String(problem.column)}`}`}</span>
              <span><code>{problem.path}</code> {problem.text}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Puts the cursor where the mistake is. */
function jumpTo(area: HTMLTextAreaElement | null, { line = 1, column = 1 }: Problem): void {
  if (area === null) return;
  const lines = area.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const at = start + Math.min(column - 1, lines[line - 1]?.length ?? 0);
  area.focus();
  area.setSelectionRange(at, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 6));
}
