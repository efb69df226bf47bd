/** One line of the message list. */
import type { MailboxView, MessageSummary } from '../../api.ts';
import { fullDate, shortDate } from '../../../../shared/page/dates.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import { setFlag } from './messages.ts';
import { Avatar, namesOf } from './people.tsx';
import { hrefOf, route } from './route.ts';
import { texts } from './texts.ts';

export function MessageRow({ mailbox, message }: { readonly mailbox: MailboxView; readonly message: MessageSummary }) {
  const { uid, seen, flagged, subject, preview, dateMs } = message;
  const outgoing = mailbox.role === 'sent' || mailbox.role === 'drafts';
  const people = outgoing && message.to.length > 0 ? message.to : message.from;
  const star = flagged ? texts.value.reader.unstar : texts.value.reader.star;
  return (
    <li class={`message-row${seen ? '' : ' unread'}`} data-current={route.value.uid === uid ? 'yes' : undefined}>
      <a href={hrefOf(mailbox.id, uid)} aria-current={route.value.uid === uid ? 'true' : undefined}>
        <Avatar person={people[0]} />
        <span class="message-lines">
          <span class="message-first">
            {!seen && <span class="unread-dot" role="img" aria-label={texts.value.row.unread} />}
            <span class="message-people">{outgoing && people === message.to ? texts.value.row.to(namesOf(people)) : namesOf(people) || texts.value.unknownSender}</span>
            <time dateTime={new Date(dateMs).toISOString()} title={fullDate(dateMs)}>{shortDate(dateMs)}</time>
          </span>
          <span class="message-second">
            <Marks message={message} />
            <span class="message-subject">{subject || texts.value.noSubject}</span>
          </span>
          <span class="message-preview">{preview}</span>
        </span>
      </a>
      <button class={`icon-button star${flagged ? ' star-on' : ''}`} aria-label={star} aria-pressed={flagged} title={star} onClick={() => void setFlag(mailbox.id, message, ['flagged', !flagged])}>
        <Icon name="star" filled={flagged ? 'yes' : 'no'} />
      </button>
    </li>
  );
}

function Marks({ message: { answered, forwarded, hasAttachment, draft } }: { readonly message: MessageSummary }) {
  return (
    <>
      {draft && <span class="mark mark-draft">{texts.value.row.draft}</span>}
      {answered && <span class="mark" role="img" aria-label={texts.value.row.answered}><Icon name="reply" /></span>}
      {forwarded && <span class="mark" role="img" aria-label={texts.value.row.forwarded}><Icon name="forward" /></span>}
      {hasAttachment && <span class="mark" role="img" aria-label={texts.value.row.hasAttachments}><Icon name="attach" /></span>}
    </>
  );
}
