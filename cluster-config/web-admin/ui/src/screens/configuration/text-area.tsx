/** A text with line numbers, the lines with mistakes marked. */
import { useRef } from 'preact/hooks';

export interface AreaRef {
  current: HTMLTextAreaElement | null;
}

interface TextAreaProps {
  readonly area: AreaRef;
  readonly text: string;
  readonly marked: ReadonlySet<number>;
  readonly write: (text: string) => void;
}

export function TextArea({ area, text, marked, write }: TextAreaProps) {
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.split('\n').length;
  return (
    <div class="editor">
      <div ref={gutter} class="editor-lines" aria-hidden="true">
        {Array.from({ length: lines }, (_, index) => <div key={index} class={marked.has(index + 1) ? 'line-wrong' : undefined}>{index + 1}</div>)}
      </div>
      <textarea ref={area} class="editor-text" aria-label="Document (YAML)" aria-describedby="findings" aria-invalid={marked.size > 0} spellcheck={false} autocapitalize="none" autocomplete="off" wrap="off" rows={18} value={text}
        onInput={(event) => write(event.currentTarget.value)}
        onScroll={(event) => {
          if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
        }} />
    </div>
  );
}

/** Puts the cursor there, and selects the rest of the line. Both count from 1. */
export function jumpTo(area: HTMLTextAreaElement | null, { line = 1, column = 1 }: { readonly line?: number | undefined; readonly column?: number | undefined }): void {
  if (area === null) return;
  const lines = area.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const length = lines[line - 1]?.length ?? 0;
  area.focus();
  area.setSelectionRange(start + Math.min(column - 1, length), start + length);
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 6));
}
