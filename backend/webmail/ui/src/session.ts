/** Whether somebody is signed in, and who. */
import { signal } from '@preact/signals';
import type { LanguageView, SessionView } from '../../api.ts';
import { ApiError, get, onSignedOut, post } from './api.ts';
import { leavePlace } from './route.ts';
import { showError } from '../../../../shared/page/toasts.tsx';
import { language, texts } from './texts.ts';

export type Session =
  | { readonly at: 'starting' }
  | { readonly at: 'signed-out'; readonly note: string }
  /** The server can't say who we are: it is away. */
  | { readonly at: 'unreachable'; readonly note: string }
  | ({ readonly at: 'signed-in' } & SessionView);

export const session = signal<Session>({ at: 'starting' });

/** The last one who was signed in here: what they were writing is theirs alone. */
export const lastAddress = signal('');

onSignedOut(() => {
  if (session.value.at === 'signed-in') session.value = { at: 'signed-out', note: texts.value.session.over };
});

export async function startSession(): Promise<void> {
  try {
    language.value = (await get<LanguageView>('/api/language', 'background')).language;
    await readSession();
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'signed-out') session.value = { at: 'signed-out', note: '' };
    else session.value = { at: 'unreachable', note: error instanceof Error ? error.message : '' };
  }
}

export async function signIn(name: string, password: string): Promise<void> {
  await post('/api/sign-in', { name, password });
  await readSession();
}

export async function signOut(): Promise<void> {
  try {
    await post('/api/sign-out', {});
    leave(texts.value.session.signedOut);
  } catch (error) {
    showError(error);
  }
}

/** Ends all sessions of this user, in whatever browser. Rejects when the server does not do it. */
export async function signOutEverywhere(): Promise<void> {
  await post('/api/sign-out-everywhere', {});
  leave(texts.value.session.everywhere);
}

function leave(note: string): void {
  lastAddress.value = '';
  leavePlace();
  session.value = { at: 'signed-out', note };
}

async function readSession(): Promise<void> {
  const view = await get<SessionView>('/api/session');
  // Somebody else's place in somebody else's mail means nothing here.
  if (lastAddress.value !== '' && lastAddress.value !== view.address) leavePlace();
  lastAddress.value = view.address;
  language.value = view.language;
  session.value = { at: 'signed-in', ...view };
}
