/** The table of the API: what a signed-in user can ask for. */
import { sendJson } from '../../shared/http/refusals.ts';
import { languageOfVisitor } from '../../shared/http/visitor-language.ts';
import type { SessionView } from './api.ts';
import type { ApiRoute } from './call.ts';
import { listAccesses } from './accesses.ts';
import { changeFlags, deleteMessages, moveMessages } from './changes.ts';
import { downloadPart, downloadSource } from './download.ts';
import { listMailboxes } from './mailboxes.ts';
import { listMessages } from './message-list.ts';
import { showMessage } from './message-view.ts';
import { changePassword, signOutEverywhere } from './password.ts';
import { saveDraft, send } from './send.ts';

/** News of changes: as events, or by WebSocket. */
export const newsPath = '/api/events';

export const apiRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/api/session',
    run: async ({ exchange, account, options }) => {
      const { maxUploadBytes, maxRecipients } = options.limits;
      const entry = await options.accounts.lookUp(account.address).catch(() => undefined); // while the directory is away the browser's word counts
      const language = entry?.language ?? languageOfVisitor(exchange.request, options.language);
      const view: SessionView = { address: account.address, language, limits: { maxUploadBytes, maxRecipients } };
      sendJson(exchange.response, 200, view);
    },
  },
  { method: 'GET', path: '/api/accesses', run: listAccesses },
  { method: 'GET', path: '/api/mailboxes', run: listMailboxes },
  { method: 'GET', path: '/api/mailboxes/:mailbox/messages', run: listMessages },
  { method: 'GET', path: '/api/mailboxes/:mailbox/messages/:uid', run: showMessage },
  { method: 'GET', path: '/api/mailboxes/:mailbox/messages/:uid/source', run: downloadSource },
  { method: 'GET', path: '/api/mailboxes/:mailbox/messages/:uid/parts/:part', run: downloadPart },
  { method: 'POST', path: '/api/mailboxes/:mailbox/flags', run: changeFlags },
  { method: 'POST', path: '/api/mailboxes/:mailbox/move', run: moveMessages },
  { method: 'POST', path: '/api/mailboxes/:mailbox/delete', run: deleteMessages },
  { method: 'POST', path: '/api/send', run: send },
  { method: 'POST', path: '/api/drafts', run: saveDraft },
  { method: 'POST', path: '/api/password', run: changePassword },
  { method: 'POST', path: '/api/sign-out-everywhere', run: signOutEverywhere },
  {
    method: 'GET',
    path: newsPath,
    run: async ({ exchange: { request, response }, account, streams }) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
      else streams.serve(response, account);
      return Promise.resolve();
    },
  },
];
