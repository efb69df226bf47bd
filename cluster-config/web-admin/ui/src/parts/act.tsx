/** A button that does something at the cluster: busy while it goes on; a failure is told. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { attempt } from '../../../../../shared/page/toasts.tsx';

interface ActProps {
  readonly does: () => Promise<unknown>;
  readonly looks?: 'primary' | 'danger' | 'small' | 'quiet';
  /** When the words on the button don't say of what. */
  readonly label?: string;
  readonly children: ComponentChildren;
}

export function Act({ does, looks, label, children }: ActProps) {
  const busy = useSignal(false);
  const run = async (): Promise<void> => {
    busy.value = true;
    try {
      await attempt(does);
    } finally {
      busy.value = false;
      setTimeout(keepPlace);
    }
  };
  // Not `disabled`: that would take the focus away from who works by keyboard.
  return (
    <button class={looks === undefined ? 'button' : `button button-${looks}`} type="button" aria-label={label} aria-disabled={busy.value} aria-busy={busy.value} onClick={() => {
      if (!busy.peek()) void run();
    }}>{children}</button>
  );
}

/** When the act took its own button away, who works by keyboard goes on at the heading instead of at the very beginning. */
function keepPlace(): void {
  if (document.activeElement === null || document.activeElement === document.body) document.querySelector<HTMLElement>('#content h1')?.focus({ preventScroll: true });
}
