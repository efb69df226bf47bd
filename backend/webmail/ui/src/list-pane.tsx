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
import { texts } from './texts.ts';

export function ListPane({ drawer }: { readonly drawer: Signal<'open' | 'closed'> }) {
  const mailbox = currentMailbox.value;
  return (
    <section class="list-pane" aria-label={texts.value.list.title}>
      <header class="list-head">
        <div class="list-title">
          <button class="icon-button drawer-button" aria-label={texts.value.folders} onClick={() => { drawer.value = 'open'; }}><Icon name="menu" /></button>
          <h1>{mailbox === undefined ? '' : displayName(mailbox).text}</h1>
          {mailbox !== undefined && <span class="list-count">{countText(mailbox)}</span>}
          <button class="icon-button" aria-label={texts.value.list.check} title={texts.value.list.check} onClick={() => void attempt(async () => refresh('user'))}><Icon name="refresh" /></button>
        </div>
        {mailbox !== undefined && <Search key={mailbox.id} mailbox={mailbox.id} />}
      </header>
      <Messages mailbox={mailbox} />
      <button class="float-button" aria-label={texts.value.writeMessage} onClick={() => startWriting()}><Icon name="compose" /></button>
    </section>
  );
}

function countText({ messages, unseen }: MailboxView): string {
  return unseen > 0 ? texts.value.list.someUnread(String(unseen), String(messages)) : texts.value.list.count(messages);
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
      <input type="search" id="search" placeholder={texts.value.list.search} aria-label={texts.value.list.searchHere} value={text.value}
        onInput={(event) => { text.value = event.currentTarget.value; }} />
      {text.value !== '' && <button class="icon-button" aria-label={texts.value.list.clear} onClick={() => { text.value = ''; }}><Icon name="close" /></button>}
    </div>
  );
}

function Messages({ mailbox }: { readonly mailbox: MailboxView | undefined }) {
  const { messages, state, more, search } = list.value;
  if (mailbox === undefined || (state === 'loading' && messages.length === 0)) return <Skeleton />;
  if (state === 'failed') return <div class="empty"><p>{texts.value.list.failed}</p><button class="button" onClick={() => void openList(mailbox.id, search)}>{texts.value.tryAgain}</button></div>;
  if (messages.length === 0) return <div class="empty"><Icon name={search === '' ? mailbox.role : 'search'} /><p>{search === '' ? texts.value.list.nothing : texts.value.list.notFound}</p></div>;
  return (
    <div class="messages" id="messages">
      <ul>
        {messages.map((message) => <MessageRow key={message.uid} mailbox={mailbox} message={message} />)}
      </ul>
      {more && <button class="button older-button" onClick={() => void loadOlder()}>{texts.value.list.older}</button>}
    </div>
  );
}

function Skeleton() {
  return (
    <div class="messages skeleton" aria-busy="true" aria-label={texts.value.loading}>
      {Array.from({ length: 7 }, (_, index) => <div key={index} class="skeleton-row"><span /><div><i /><i /></div></div>)}
    </div>
  );
}
