/** The sign-in form. */
import { useSignal } from '@preact/signals';
import { errorText } from '../../../../shared/page/error-text.ts';
import { Logo } from '../../../../shared/page/logo.tsx';
import { signIn } from './session.ts';

export function SignIn({ note }: { readonly note: string }) {
  const state = useSignal<'idle' | 'busy'>('idle');
  const error = useSignal('');
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    state.value = 'busy';
    error.value = '';
    try {
      await signIn(String(fields.get('name')).trim(), String(fields.get('password')));
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
        <h1>Sign in to your mail</h1>
        {note !== '' && error.value === '' && <p class="notice">{note}</p>}
        {error.value !== '' && <p class="notice notice-error" role="alert">{error.value}</p>}
        <label>
          <span>Mail address</span>
          <input name="name" type="text" inputMode="email" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
        </label>
        <label>
          <span>Password</span>
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <button class="button button-primary" type="submit" disabled={state.value === 'busy'}>{state.value === 'busy' ? 'Signing in …' : 'Sign in'}</button>
      </form>
    </main>
  );
}
