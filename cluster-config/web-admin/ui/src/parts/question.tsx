/** Asks before something is done that can't be undone at once; names what will happen. */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface Question {
  readonly title: string;
  readonly text: ComponentChildren;
  /** What the button says: the act itself. */
  readonly verb: string;
  readonly danger?: 'yes' | 'no';
  /** Something to be written: its label and what stands there at first; `must`: nothing is done before exactly this is typed. */
  readonly field?: { readonly label: string; readonly value: string; readonly hint?: string; readonly must?: string };
  /** One of several ways to do it, each a value and what is read there; the first is chosen until another is. */
  readonly choice?: { readonly label: string; readonly options: readonly (readonly [value: string, text: string])[] };
}

/** `text` is what was written, `choice` the value that was chosen; empty where the question has none. */
export type Reply = { readonly kind: 'no' } | { readonly kind: 'yes'; readonly text: string; readonly choice: string };

interface Asked {
  readonly question: Question;
  readonly answer: (reply: Reply) => void;
}

const asked = signal<Asked | undefined>(undefined);

export async function ask(question: Question): Promise<Reply> {
  asked.peek()?.answer({ kind: 'no' });
  return new Promise<Reply>((resolve) => {
    const one: Asked = {
      question,
      answer: (reply) => {
        if (asked.peek() === one) asked.value = undefined;
        resolve(reply);
      },
    };
    asked.value = one;
  });
}

export function Questions() {
  const { value } = asked;
  return value === undefined ? null : <QuestionDialog key={value.question.title} {...value} />;
}

function QuestionDialog({ question: { title, text, verb, danger = 'no', field, choice }, answer }: Asked) {
  const dialog = useRef<HTMLDialogElement>(null);
  const reply = useRef<Reply>({ kind: 'no' });
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  // Answered when it is closed, not before: closing gives the focus back to where it was. Nor later: the event that tells of it comes behind keys that were
  // pressed meanwhile, for which the button with the focus would still be busy.
  const close = (): void => {
    dialog.current?.close();
    answer(reply.current);
  };
  return (
    <dialog ref={dialog} class="question" aria-labelledby="question-title" aria-describedby="question-text" onClose={() => answer(reply.current)} onCancel={(event) => {
      event.preventDefault();
      close();
    }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        const written = new FormData(event.currentTarget);
        reply.current = { kind: 'yes', text: String(written.get('field') ?? ''), choice: String(written.get('choice') ?? '') };
        close();
      }}>
        <h2 id="question-title">{title}</h2>
        <div id="question-text" class="question-text">{text}</div>
        {field !== undefined && (
          <label class="field">
            <span>{field.label}</span>
            <input name="field" type="text" defaultValue={field.value} maxLength={400} autofocus autocapitalize="none" autocomplete="off" spellcheck={false} {...(field.must === undefined ? {} : typed(field.must))} />
            {field.hint !== undefined && <small class="hint">{field.hint}</small>}
          </label>
        )}
        {choice !== undefined && (
          <label class="field"><span>{choice.label}</span><select name="choice">{choice.options.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</select></label>
        )}
        <div class="question-acts">
          {/* First, so that Enter right after the dialog opened does no harm. */}
          <button class="button" type="button" autofocus={field === undefined} onClick={close}>Cancel</button>
          <button class={danger === 'yes' ? 'button button-danger' : 'button button-primary'} type="submit">{verb}</button>
        </div>
      </form>
    </dialog>
  );
}

/** The browser itself keeps the form from being sent before it is right, and says why. */
function typed(text: string): { readonly required: true; readonly pattern: string; readonly title: string } {
  return { required: true, pattern: text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'), title: `Type ${text}` };
}
