/** Makes a local account: one whose password no directory has. */
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { errorText } from '../../../../../shared/page/error-text.ts';
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change } from '../api.ts';
import { tellOnce } from '../parts/typed-ask.tsx';
import { goTo, hrefOf } from '../route.ts';
import type { MadeAccount } from '../views.ts';

const asked = signal<readonly string[] | undefined>(undefined);

/** Opens the form. */
export function addAccount(backends: readonly string[]): void {
  asked.value = backends;
}

export function NewAccount() {
  return asked.value === undefined ? null : <Form backends={asked.value} />;
}

function Form({ backends }: { readonly backends: readonly string[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const state = useSignal<{ readonly busy: boolean; readonly error: string }>({ busy: false, error: '' });
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const close = (): void => dialog.current?.close();
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    state.value = { busy: true, error: '' };
    try {
      const [password, node] = [String(fields.get('password')), String(fields.get('node'))];
      const made = await change<MadeAccount>('/accounts', { method: 'POST', body: { address: String(fields.get('address')).trim(), ...(password === '' ? {} : { password }), ...(node === '' ? {} : { node }) } });
      close();
      showNote(`${made.address} is made at ${made.node}.`);
      if (made.password !== undefined) await tellOnce(made.address, made.password);
      goTo(hrefOf(['accounts', made.address]));
    } catch (error) {
      state.value = { busy: false, error: errorText(error) };
    }
  };
  return (
    <dialog ref={dialog} class="question" aria-labelledby="new-account-title" onClose={() => { asked.value = undefined; }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}>
        <h2 id="new-account-title">New local account</h2>
        <p class="soft">Its password is kept at the back-end. Users of a directory need no account here: their mailbox is made when mail comes or they sign in.</p>
        {state.value.error !== '' && <p class="notice notice-error" role="alert">{state.value.error}</p>}
        <label class="field"><span>Address</span><input name="address" type="text" inputMode="email" autocapitalize="none" autocomplete="off" spellcheck={false} required autofocus maxLength={320} pattern="[^@ ]+@[^@ ]+" title="A whole mail address" /></label>
        <label class="field"><span>Password</span><input name="password" type="password" autocomplete="new-password" maxLength={1024} /><small class="hint">Left empty, one is made up and shown once.</small></label>
        <label class="field"><span>Back-end</span><select name="node"><option value="">as user maps say</option>{backends.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>
        <div class="question-acts">
          <button class="button" type="button" onClick={close}>Cancel</button>
          <button class="button button-primary" type="submit" disabled={state.value.busy}>{state.value.busy ? 'Making …' : 'Make the account'}</button>
        </div>
      </form>
    </dialog>
  );
}
