/** Whether the settings are open; and what of a new password can be said before the server is asked. */
import { effect, signal } from '@preact/signals';
import { session } from './session.ts';

export const settings = signal<'open' | 'closed'>('closed');

effect(() => {
  if (session.value.at !== 'signed-in') settings.value = 'closed';
});

export type Strength = 'none' | 'short' | 'fair' | 'good';

/** By length alone, as NIST SP 800-63B section 3.1.1 advises; other rules are the directory's, which says them. */
export function strengthOf(password: string): Strength {
  const letters = [...password].length;
  if (letters === 0) return 'none';
  if (letters < 8) return 'short';
  return letters < 15 ? 'fair' : 'good';
}
