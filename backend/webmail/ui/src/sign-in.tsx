/** The sign-in of users. */
import { SignInForm } from '../../../../shared/page/sign-in-form.tsx';
import { signIn } from './session.ts';

export function SignIn({ note }: { readonly note: string }) {
  return (
    <SignInForm title="Sign in to your mail" note={note} signIn={async (fields) => signIn(String(fields.get('name')).trim(), String(fields.get('password')))}>
      <label>
        <span>Mail address</span>
        <input name="name" type="text" inputMode="email" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
      </label>
      <label>
        <span>Password</span>
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
    </SignInForm>
  );
}
