/** The reading pane: who wrote, what can be done, the text, the attachments. */
import type { AddressView, MailboxView, MessageView } from '../../api.ts';
import { Attachments } from './attachments.tsx';
import { fullDate, mediumDate } from '../../../../shared/page/dates.ts';
import { HtmlBody } from './html-body.tsx';
import { Icon } from '../../../../shared/page/icons.tsx';
import { Logo } from '../../../../shared/page/logo.tsx';
import { mailboxes } from './mailboxes.ts';
import { openMessage, readMessage } from './open-message.ts';
import type { OpenMessage } from './open-message.ts';
import { Avatar, nameOf } from './people.tsx';
import { PlainBody } from './plain-body.tsx';
import { ReaderTools } from './reader-tools.tsx';
import { editDraft } from './compose-state.ts';
import { hrefOf } from './route.ts';
import { texts } from './texts.ts';

export function Reader() {
  const { value } = openMessage;
  if (value.at === 'none') return <section class="reader reader-empty" aria-label={texts.value.reader.title}><Logo /><p>{texts.value.reader.choose}</p></section>;
  const mailbox = mailboxes.value.find(({ id }) => id === value.mailbox);
  return (
    <section class="reader" aria-label={texts.value.reader.title} aria-busy={value.at === 'loading'}>
      <div class="reader-bar">
        <a class="icon-button back-button" href={hrefOf(value.mailbox)} aria-label={texts.value.reader.back}><Icon name="back" /></a>
        {value.at === 'open' && mailbox !== undefined && <ReaderTools mailbox={mailbox} message={value.message} />}
      </div>
      {value.at === 'failed' && <Failed failure={value} />}
      {value.at === 'open' && mailbox !== undefined && <Message key={`${String(value.mailbox)}/${String(value.uid)}`} mailbox={mailbox} message={value.message} />}
    </section>
  );
}

function Failed({ failure }: { readonly failure: Extract<OpenMessage, { at: 'failed' }> }) {
  return (
    <div class="empty" role="alert">
      <p>{failure.text}</p>
      {failure.kind !== 'message-missing' && <button class="button" onClick={() => void readMessage(failure.mailbox, failure.uid)}>{texts.value.tryAgain}</button>}
    </div>
  );
}

function Message({ mailbox, message }: { readonly mailbox: MailboxView; readonly message: MessageView }) {
  const onlyHtml = message.bodies.length === 1 && message.bodies[0]?.kind === 'html';
  return (
    <article class={onlyHtml ? 'message message-html' : 'message'}>
      <header class="message-head">
        <h1>{message.subject || texts.value.noSubject}</h1>
        {message.draft && <p class="notice draft-notice">{texts.value.reader.isDraft} <button class="button button-small" onClick={() => editDraft(mailbox.id, message)}>{texts.value.reader.goOn}</button></p>}
        <Sender message={message} />
      </header>
      {message.bodies.map((body, index) => (body.kind === 'html'
        ? <HtmlBody key={index} mailbox={mailbox.id} message={message} html={body.text} />
        : <PlainBody key={index} text={body.text} />))}
      {message.bodies.some(({ cut }) => cut) && <p class="notice cut-notice">{texts.value.reader.cut}</p>}
      <Attachments mailbox={mailbox.id} message={message} />
    </article>
  );
}

function Sender({ message }: { readonly message: MessageView }) {
  const { from, to, cc, bcc, sentAtMs, dateMs } = message;
  const [sender] = from;
  const shownMs = sentAtMs ?? dateMs;
  return (
    <div class="sender">
      <Avatar person={sender} />
      <div class="sender-lines">
        <div class="sender-first">
          <span class="sender-name">{sender === undefined ? texts.value.unknownSender : nameOf(sender)}</span>
          {sender !== undefined && sender.name !== '' && <span class="sender-address">{sender.address}</span>}
          <time dateTime={new Date(shownMs).toISOString()} title={fullDate(shownMs)}>{mediumDate(shownMs)}</time>
        </div>
        <People word={texts.value.to} people={to} />
        <People word={texts.value.cc} people={cc} />
        <People word={texts.value.bcc} people={bcc} />
      </div>
    </div>
  );
}

function People({ word, people }: { readonly word: string; readonly people: readonly AddressView[] }) {
  if (people.length === 0) return null;
  return (
    <div class="people"><span class="people-word">{word}</span> {people.map((person, index) => (
      <span key={index} title={person.address}>{index > 0 ? ', ' : ''}{nameOf(person)}</span>
    ))}</div>
  );
}
