/** The message list with its search. */
import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { MailboxView } from '../../api.ts';
import { startWriting } from './compose-state.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import { MessageRow } from './message-row.tsx';
import { currentMailbox, displayName } from './mailboxes.ts';
import { list, loadOlder, openList, refresh } from './messages.ts';
import { attempt } from '../../../../shared/page/toasts.tsx';

export function ListPane({ drawer }: { readonly drawer: Signal<'open' | 'closed'> }) {
  const mailbox = currentMailbox.value;
  return (
    <section class="list-pane" aria-label="Messages">
      <header class="list-head">
        <div class="list-title">
          <button class="icon-button drawer-button" aria-label="Folders" onClick={() => { drawer.value = 'open'; }}><Icon name="menu" /></button>
          <h1>{mailbox === undefined ? '' : displayName(mailbox).text}</h1>
          {mailbox !== undefined && <span class="list-count">{countText(mailbox)}</span>}
          <button class="icon-button" aria-label="Check for new mail" title="Check for new mail" onClick={() => void attempt(async () => refresh('user'))}><Icon name="refresh" /></button>
        </div>
        {mailbox !== undefined && <Search key={mailbox.id} mailbox={mailbox.id} />}
      </header>
      <Messages mailbox={mailbox} />
      <button class="float-button" aria-label="Write a message" onClick={() => startWriting()}><Icon name="compose" /></button>
    </section>
  );
}

function countText({ messages, unseen }: MailboxView): string {
  return unseen > 0 ? `${String(unseen)} of ${String(messages)} unread` : `${String(messages)} message${messages === 1 ? '' : 's'}`;
}

/** Searches a moment after the last key. */
function Search({ mailbox }: { readonly mailbox: number }) {
  const text = useSignal('');
  useEffect(() => {
    const words = text.value.trim();
    if (words === list.peek().search) return;
    const timer = setTimeout(() => void openList(mailbox, words), words === '' ? 0 : 300);
    return () => clearTimeout(timer);
  }, [text.value, mailbox]);
  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input type="search" id="search" placeholder="Search subject or people" aria-label="Search in this folder" value={text.value}
        onInput={(event) => { text.value = event.currentTarget.value; }} />
      {text.value !== '' && <button class="icon-button" aria-label="Clear search" onClick={() => { text.value = ''; }}><Icon name="close" /></button>}
    </div>
  );
}

function Messages({ mailbox }: { readonly mailbox: MailboxView | undefined }) {
  const { messages, state, more, search } = list.value;
  if (mailbox === undefined || (state === 'loading' && messages.length === 0)) return <Skeleton />;
  if (state === 'failed') return <div class="empty"><p>The messages could not be loaded.</p><button class="button" onClick={() => void openList(mailbox.id, search)}>Try again</button></div>;
  if (messages.length === 0) return <div class="empty"><Icon name={search === '' ? mailbox.role : 'search'} /><p>{search === '' ? 'Nothing here.' : 'Nothing found.'}</p></div>;
  return (
    <div class="messages" id="messages">
      <ul>
        {messages.map((message) => <MessageRow key={message.uid} mailbox={mailbox} message={message} />)}
      </ul>
      {more && <button class="button older-button" onClick={() => void loadOlder()}>Show older messages</button>}
    </div>
  );
}

function Skeleton() {
  return (
    <div class="messages skeleton" aria-busy="true" aria-label="Loading">
      {Array.from({ length: 7 }, (_, index) => <div key={index} class="skeleton-row"><span /><div><i /><i /></div></div>)}
    </div>
  );
}
