/** Short notes at the bottom of a page. */
import { signal } from '@preact/signals';
import { errorText } from './error-text.ts';
import { Icon } from './icons.tsx';

interface Toast {
  readonly id: number;
  readonly tone: 'note' | 'error';
  readonly text: string;
}

const toasts = signal<readonly Toast[]>([]);
const shownMs = { note: 4000, error: 9000 } as const;
let nextId = 1;

export function showNote(text: string): void {
  show('note', text);
}

export function showError(error: unknown): void {
  show('error', errorText(error));
}

/** Runs something the user asked for; a failure is shown. Answers whether it worked. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    showError(error);
    return false;
  }
}

function show(tone: Toast['tone'], text: string): void {
  const toast = { id: nextId, tone, text };
  nextId += 1;
  // What went wrong before has been put right when something works; the same words are said once.
  const kept = toasts.value.filter((each) => each.text !== text && (tone === 'error' || each.tone !== 'error'));
  toasts.value = [...kept, toast].slice(-3);
  setTimeout(() => dismiss(toast.id), shownMs[tone]);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function Toasts({ dismiss: words = 'Dismiss' }: { readonly dismiss?: string }) {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, tone, text }) => (
        <div key={id} class={`toast toast-${tone}`}>
          <span>{text}</span>
          <button class="icon-button" aria-label={words} onClick={() => dismiss(id)}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}
