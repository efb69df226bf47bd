/** The sign-in of administrators: name, password, and the code of the authenticator where one is set up. */
import { SignInForm } from '../../../../shared/page/sign-in-form.tsx';
import { signIn } from './session.ts';

export function SignIn({ note }: { readonly note: string }) {
  return (
    <SignInForm title="Sign in to administer" words={{ submit: 'Sign in', busy: 'Signing in …' }} note={note} signIn={signInWith}>
      <label>
        <span>Name</span>
        <input name="name" type="text" autocomplete="username" autocapitalize="none" spellcheck={false} maxLength={64} required autofocus />
      </label>
      <label>
        <span>Password</span>
        <input name="password" type="password" autocomplete="current-password" maxLength={1024} required />
      </label>
      <label>
        <span>Code <small class="hint">if your sign-in has an authenticator</small></span>
        <input name="code" type="text" inputMode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" maxLength={8} title="Six digits" />
      </label>
    </SignInForm>
  );
}

async function signInWith(fields: FormData): Promise<void> {
  const code = String(fields.get('code')).replace(/\s/g, '');
  await signIn({ name: String(fields.get('name')).trim(), password: String(fields.get('password')), ...(code === '' ? {} : { code }) });
}
