/** Who is signed in, and what they may do. What they may not do isn't shown; the API refuses it anyway. */
import { signal } from '@preact/signals';
import { showError } from '../../../../shared/page/toasts.tsx';
import { ApiError, change, get, onSignedOut } from './api.ts';
import { goTo } from './route.ts';
import { keepDraft } from './screens/configuration/draft.ts';
import type { Capability, SessionView } from './views.ts';

export type Session =
  | { readonly at: 'starting' }
  | { readonly at: 'signed-out'; readonly note: string }
  /** The node can't say who we are. */
  | { readonly at: 'unreachable'; readonly note: string }
  | { readonly at: 'signed-in'; readonly who: SessionView };

export const session = signal<Session>({ at: 'starting' });

onSignedOut(() => {
  if (session.value.at === 'signed-in') session.value = { at: 'signed-out', note: 'Your sign-in is over. Please sign in again.' };
});

export async function startSession(): Promise<void> {
  try {
    session.value = { at: 'signed-in', who: await get<SessionView>('/session', { activity: 'background' }) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) session.value = { at: 'signed-out', note: '' };
    else session.value = { at: 'unreachable', note: error instanceof Error ? error.message : '' };
  }
}

export async function signIn(credentials: { readonly name: string; readonly password: string; readonly code?: string }): Promise<void> {
  session.value = { at: 'signed-in', who: await change<SessionView>('/session', { method: 'POST', body: credentials }) };
}

export async function signOut(): Promise<void> {
  try {
    await change('/session', { method: 'DELETE' });
    keepDraft(undefined);
    goTo('#/', 'replace');
    session.value = { at: 'signed-out', note: 'You are signed out.' };
  } catch (error) {
    showError(error);
  }
}

export function may(capability: Capability): boolean {
  return session.value.at === 'signed-in' && session.value.who.capabilities.includes(capability);
}
