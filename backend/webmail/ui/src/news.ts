/** Hears of changes (Server-Sent Events) while somebody is signed in, and brings the page up to date. */
import { effect } from '@preact/signals';
import { ApiError, get } from './api.ts';
import { refresh } from './messages.ts';
import { loadMailboxes, mailboxes } from './mailboxes.ts';
import { session } from './session.ts';
import { attempt } from './toasts.tsx';

const againMs = 8000;

let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;

function connect(): void {
  disconnect();
  source = new EventSource('/api/events');
  source.addEventListener('change', update);
  // What happened while no line was open is seen by looking.
  source.addEventListener('open', update);
  source.addEventListener('error', () => {
    if (source?.readyState === EventSource.CLOSED) again = setTimeout(reconnect, againMs);
  });
}

function disconnect(): void {
  source?.close();
  source = undefined;
  clearTimeout(again);
}

/** After a refusal: the session may be over, which this question finds out, or the server away for a while. */
function reconnect(): void {
  get('/api/session', 'background').then(connect, (error: unknown) => {
    if (!(error instanceof ApiError && error.kind === 'signed-out')) again = setTimeout(reconnect, againMs);
  });
}

function update(): void {
  refresh('background').catch(() => undefined); // the next news, or the user, tries again
}

effect(() => {
  if (session.value.at !== 'signed-in') {
    disconnect();
    return;
  }
  void attempt(async () => loadMailboxes());
  connect();
});

effect(() => {
  const unseen = mailboxes.value.find(({ role }) => role === 'inbox')?.unseen ?? 0;
  document.title = unseen > 0 ? `(${String(unseen)}) Waybill` : 'Waybill';
});
