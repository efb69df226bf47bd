/** Whether the settings are open; and what of a new password can be said before the server is asked. */
import { effect, signal } from '@preact/signals';
import { session } from './session.ts';

export const settings = signal<'open' | 'closed'>('closed');

effect(() => {
  if (session.value.at !== 'signed-in') settings.value = 'closed';
});

export interface Strength {
  readonly level: 'none' | 'short' | 'fair' | 'good';
  readonly text: string;
}

/** By length alone, as NIST SP 800-63B section 3.1.1 advises; other rules are the directory's, which says them. */
export function strengthOf(password: string): Strength {
  const letters = [...password].length;
  if (letters === 0) return { level: 'none', text: 'Several words in a row are easy to remember and hard to guess.' };
  if (letters < 8) return { level: 'short', text: 'Short: easy to guess.' };
  if (letters < 15) return { level: 'fair', text: 'Fair. Fifteen or more characters are better.' };
  return { level: 'good', text: 'Long: good.' };
}
