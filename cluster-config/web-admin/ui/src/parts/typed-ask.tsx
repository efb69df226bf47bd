/** Questions about what can't be taken back: nothing is done before the name was typed. And what is told only once. */
import type { ComponentChildren } from 'preact';
import { ask } from './question.tsx';

export async function askTyped({ title, verb, name, text }: { readonly title: string; readonly verb: string; readonly name: string; readonly text: ComponentChildren }): Promise<'yes' | 'no'> {
  return (await ask({ title, verb, danger: 'yes', text, field: { label: `Type ${name} to confirm`, value: '', must: name } })).kind;
}

/** A password that was made up: nobody can be told again. */
export async function tellOnce(address: string, password: string): Promise<void> {
  await ask({
    title: `Password of ${address}`, verb: 'I have noted it',
    text: (
      <>
        <p>It is shown only now. Give it to the user by another way than mail, and ask to change it in WebMail’s settings.</p>
        <p><output class="secret" aria-label="Password">{password}</output></p>
      </>
    ),
  });
}
