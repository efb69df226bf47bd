/** The sign-in of users. */
import { SignInForm } from '../../../../shared/page/sign-in-form.tsx';
import { signIn } from './session.ts';
import { texts } from './texts.ts';

export function SignIn({ note }: { readonly note: string }) {
  return (
    <SignInForm title={texts.value.signIn.title} words={texts.value.signIn} note={note} signIn={async (fields) => signIn(String(fields.get('name')).trim(), String(fields.get('password')))}>
      <label>
        <span>{texts.value.signIn.address}</span>
        <input name="name" type="text" inputMode="email" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
      </label>
      <label>
        <span>{texts.value.signIn.password}</span>
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
    </SignInForm>
  );
}
