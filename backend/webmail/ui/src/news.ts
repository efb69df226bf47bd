/**
 * Hears of changes while somebody is signed in, and brings the page up to date: by WebSocket, of which a browser opens as many as
 * there are pages; or by Server-Sent Events where something on the road lets no WebSocket through.
 */
import { effect } from '@preact/signals';
import { ApiError, get } from './api.ts';
import { refresh } from './messages.ts';
import { loadMailboxes, mailboxes } from './mailboxes.ts';
import { session } from './session.ts';
import { attempt } from '../../../../shared/page/toasts.tsx';

/** Not all pages at once, when a server is started again. */
const againMs = (): number => 1000 + Math.random() * 4000;

let line: WebSocket | EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let way: 'socket' | 'events' = 'socket';

function connect(): void {
  disconnect();
  line = way === 'socket' ? openSocket() : openEvents();
}

function openSocket(): WebSocket {
  const socket = new WebSocket(`${location.protocol === 'http:' ? 'ws' : 'wss'}://${location.host}/api/events`);
  let opened = false;
  socket.addEventListener('message', update);
  socket.addEventListener('open', () => {
    opened = true;
    update(); // what happened while no line was open is seen by looking
  });
  socket.addEventListener('close', () => {
    if (line !== socket) return;
    again = setTimeout(() => reconnect(opened ? 'socket' : 'events'), againMs());
  });
  return socket;
}

function openEvents(): EventSource {
  const source = new EventSource('/api/events');
  source.addEventListener('change', update);
  source.addEventListener('open', update);
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) again = setTimeout(() => reconnect('socket'), againMs());
  });
  return source;
}

function disconnect(): void {
  const old = line;
  line = undefined;
  old?.close();
  clearTimeout(again);
}

/** The session may be over, which this question finds out, or the server away for a while; if neither, `next` is tried. */
function reconnect(next: typeof way): void {
  get('/api/session', 'background').then(
    () => {
      way = next;
      connect();
    },
    (error: unknown) => {
      if (!(error instanceof ApiError && error.kind === 'signed-out')) again = setTimeout(() => reconnect('socket'), againMs());
    },
  );
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
