/** Single keys, for those who don't reach for the mouse; not while something is being typed or written. */
import type { MailboxView, MessageView } from '../../api.ts';
import { answerMessage, ownDraft, startWriting } from './compose-state.ts';
import { currentMailbox } from './mailboxes.ts';
import { deleteMessage, list, setFlag } from './messages.ts';
import { currentFlags, openMessage } from './open-message.ts';
import { markUnread } from './reader-tools.tsx';
import { goTo, route } from './route.ts';
import { session } from './session.ts';
import { settings } from './settings-state.ts';

const anywhere: Readonly<Record<string, () => void>> = {
  c: startWriting,
  '/': () => document.getElementById('search')?.focus(),
  j: () => step(1),
  k: () => step(-1),
};

const onMessage: Readonly<Record<string, (mailbox: MailboxView, message: MessageView) => void>> = {
  r: (mailbox, message) => answerMessage(mailbox.id, message, 'reply'),
  a: (mailbox, message) => answerMessage(mailbox.id, message, 'reply-all'),
  f: (mailbox, message) => answerMessage(mailbox.id, message, 'forward'),
  u: markUnread,
  s: (mailbox, message) => {
    const { flagged } = currentFlags(message);
    void setFlag(mailbox.id, { ...message, flagged }, ['flagged', !flagged]);
  },
  Delete: (mailbox, message) => void deleteMessage(mailbox, message.uid),
  Escape: (mailbox) => goTo(mailbox.id),
};

/** Opens the message below or above the one that is read. */
function step(by: 1 | -1): void {
  const { messages } = list.value;
  const mailbox = currentMailbox.value;
  const at = messages.findIndex(({ uid }) => uid === route.value.uid);
  const next = messages[at === -1 ? 0 : at + by];
  if (mailbox === undefined || next === undefined) return;
  goTo(mailbox.id, next.uid, route.value.uid === undefined ? 'push' : 'replace');
  document.querySelector(`#messages a[href="#/${String(mailbox.id)}/${String(next.uid)}"]`)?.scrollIntoView({ block: 'nearest' });
}

addEventListener('keydown', (event) => {
  const typing = event.target instanceof Element && event.target.closest('input, textarea, select, dialog') !== null;
  if (typing || event.ctrlKey || event.metaKey || event.altKey || session.value.at !== 'signed-in' || ownDraft.value !== undefined || settings.value === 'open') return;
  const mailbox = currentMailbox.value;
  const { value } = openMessage;
  const general = anywhere[event.key];
  const particular = onMessage[event.key];
  if (general !== undefined) general();
  else if (particular !== undefined && mailbox !== undefined && value.at === 'open') particular(mailbox, value.message);
  else return;
  event.preventDefault();
});
