/** The frame of a sign-in: the form, busy while it is asked, and in words why it was refused. The fields are the page's; one of them is named `password`. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { errorText } from './error-text.ts';
import { Logo } from './logo.tsx';

export interface SignInFormProps {
  readonly title: string;
  readonly words: { readonly submit: string; readonly busy: string };
  /** Why somebody has to sign in again; '' for none. */
  readonly note: string;
  /** Signs in; what it throws is shown. */
  readonly signIn: (fields: FormData) => Promise<void>;
  readonly children: ComponentChildren;
}

export function SignInForm({ title, words, note, signIn, children }: SignInFormProps) {
  const state = useSignal<'idle' | 'busy'>('idle');
  const error = useSignal('');
  const submit = async (form: HTMLFormElement): Promise<void> => {
    state.value = 'busy';
    error.value = '';
    try {
      await signIn(new FormData(form));
    } catch (thrown) {
      error.value = errorText(thrown);
      form.querySelector<HTMLInputElement>('[name=password]')?.select();
    } finally {
      state.value = 'idle';
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}>
        <Logo />
        <h1>{title}</h1>
        {note !== '' && error.value === '' && <p class="notice" role="status">{note}</p>}
        {error.value !== '' && <p class="notice notice-error" role="alert">{error.value}</p>}
        {children}
        <button class="button button-primary" type="submit" disabled={state.value === 'busy'}>{state.value === 'busy' ? words.busy : words.submit}</button>
      </form>
    </main>
  );
}
