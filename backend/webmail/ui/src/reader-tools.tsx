/** What can be done with the message being read. */
import type { ComponentChildren } from 'preact';
import type { MailboxView, MessageView } from '../../api.ts';
import { answerMessage } from './compose-state.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import type { IconName } from '../../../../shared/page/icons.tsx';
import { displayName, mailboxes } from './mailboxes.ts';
import { deleteMessage, moveMessage, setFlag } from './messages.ts';
import { currentFlags } from './open-message.ts';
import { goTo } from './route.ts';
import { texts } from './texts.ts';

interface Given {
  readonly mailbox: MailboxView;
  readonly message: MessageView;
}

export function ReaderTools({ mailbox, message }: Given) {
  const { flagged } = currentFlags(message);
  const source = `/api/mailboxes/${String(mailbox.id)}/messages/${String(message.uid)}/source`;
  return (
    <div class="tools" role="toolbar" aria-label={texts.value.reader.title}>
      <Tool icon="reply" label={texts.value.reader.reply} keys="r" run={() => answerMessage(mailbox.id, message, 'reply')} />
      <Tool icon="replyAll" label={texts.value.reader.replyAll} keys="a" run={() => answerMessage(mailbox.id, message, 'reply-all')} />
      <Tool icon="forward" label={texts.value.reader.forward} keys="f" run={() => answerMessage(mailbox.id, message, 'forward')} />
      <span class="tools-gap" />
      <Tool icon="unread" label={texts.value.reader.markUnread} keys="u" run={() => markUnread(mailbox, message)} />
      <Tool icon="star" label={flagged ? texts.value.reader.unstar : texts.value.reader.star} keys="s" filled={flagged ? 'yes' : 'no'} run={() => void setFlag(mailbox.id, { ...message, flagged }, ['flagged', !flagged])} />
      <MoveMenu mailbox={mailbox} message={message} />
      <a class="icon-button wide-only" href={source} download aria-label={texts.value.reader.download} title={texts.value.reader.download}><Icon name="source" /></a>
      <Tool icon="trash" label={mailbox.role === 'trash' ? texts.value.reader.deleteForGood : texts.value.reader.delete} keys="Delete" run={() => void deleteMessage(mailbox, message.uid)} />
    </div>
  );
}

/** Back to the list: reading on would mark it as read again. */
export function markUnread(mailbox: MailboxView, message: MessageView): void {
  void setFlag(mailbox.id, { ...message, seen: true }, ['seen', false]);
  goTo(mailbox.id);
}

function Tool({ icon, label, keys, filled = 'no', run }: { readonly icon: IconName; readonly label: string; readonly keys: string; readonly filled?: 'yes' | 'no'; readonly run: () => void }): ComponentChildren {
  return <button class="icon-button" aria-label={label} aria-keyshortcuts={keys} title={`${label} (${keys})`} onClick={run}><Icon name={icon} filled={filled} /></button>;
}

function MoveMenu({ mailbox, message }: Given) {
  const targets = mailboxes.value.filter(({ id }) => id !== mailbox.id);
  return (
    <label class="icon-button move-menu" title={texts.value.reader.move}>
      <Icon name="move" />
      <select aria-label={texts.value.reader.move} value="" onChange={(event) => {
        const target = targets.find(({ id }) => String(id) === event.currentTarget.value);
        if (target !== undefined) void moveMessage(mailbox, message.uid, target);
      }}>
        <option value="" disabled>{texts.value.reader.moveTo}</option>
        {targets.map((each) => <option key={each.id} value={String(each.id)}>{displayName(each).depth > 0 ? each.name : displayName(each).text}</option>)}
      </select>
    </label>
  );
}
