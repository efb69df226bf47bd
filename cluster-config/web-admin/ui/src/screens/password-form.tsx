/** Sets the password of an account, wherever it is kept. */
import { useSignal } from '@preact/signals';
import { errorText } from '../../../../../shared/page/error-text.ts';
import { change, pathOf } from '../api.ts';
import { Card } from '../parts/screen.tsx';

type State = { readonly at: 'idle' | 'busy' } | { readonly at: 'done' | 'failed'; readonly text: string };

export function PasswordForm({ address, at }: { readonly address: string; readonly at: 'directory' | 'back-end' }) {
  const state = useSignal<State>({ at: 'idle' });
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    if (fields.get('password') !== fields.get('again')) {
      state.value = { at: 'failed', text: 'The two passwords are not the same.' };
      return;
    }
    state.value = { at: 'busy' };
    try {
      const { takenBy } = await change<{ readonly takenBy: string }>(`${pathOf('accounts', address)}/password`, { method: 'POST', body: { password: String(fields.get('password')) } });
      form.reset();
      state.value = { at: 'done', text: `The new password holds (taken by ${takenBy}). WebMail was signed out; mail programs will ask for it.` };
    } catch (error) {
      state.value = { at: 'failed', text: errorText(error) };
    }
  };
  return (
    <Card title="New password">
      <form class="panel-body form" onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}>
        {'text' in state.value && <p class={state.value.at === 'failed' ? 'notice notice-error' : 'notice'} role={state.value.at === 'failed' ? 'alert' : 'status'}>{state.value.text}</p>}
        <p class="soft">It is kept {at === 'directory' ? 'in the directory, whose rules for passwords hold' : 'at the back-end'}. Tell the user by another way than mail.</p>
        <label class="field"><span>New password</span><input name="password" type="password" autocomplete="new-password" required maxLength={1024} /></label>
        <label class="field"><span>Once more</span><input name="again" type="password" autocomplete="new-password" required maxLength={1024} /></label>
        <div><button class="button" type="submit" disabled={state.value.at === 'busy'}>{state.value.at === 'busy' ? 'Setting …' : 'Set the password'}</button></div>
      </form>
    </Card>
  );
}
