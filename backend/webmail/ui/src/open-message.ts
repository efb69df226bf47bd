/** The message being read. */
import { effect, signal } from '@preact/signals';
import { errorText } from '../../../../shared/page/error-text.ts';
import type { MessageView } from '../../api.ts';
import { ApiError, get } from './api.ts';
import { currentMailbox } from './mailboxes.ts';
import { list, setFlag } from './messages.ts';
import { route } from './route.ts';
import { session } from './session.ts';

export type OpenMessage =
  | { readonly at: 'none' }
  | { readonly at: 'loading'; readonly mailbox: number; readonly uid: number }
  | { readonly at: 'failed'; readonly mailbox: number; readonly uid: number; readonly text: string; readonly kind: string }
  | { readonly at: 'open'; readonly mailbox: number; readonly uid: number; readonly message: MessageView };

export const openMessage = signal<OpenMessage>({ at: 'none' });

export async function readMessage(mailbox: number, uid: number): Promise<void> {
  const wanted: OpenMessage = { at: 'loading', mailbox, uid };
  openMessage.value = wanted;
  try {
    const message = await get<MessageView>(`/api/mailboxes/${String(mailbox)}/messages/${String(uid)}`);
    if (openMessage.value !== wanted) return;
    openMessage.value = { at: 'open', mailbox, uid, message };
    if (!message.seen) await setFlag(mailbox, message, ['seen', true]);
  } catch (error) {
    if (openMessage.value === wanted) openMessage.value = { at: 'failed', mailbox, uid, text: errorText(error), kind: error instanceof ApiError ? error.kind : '' };
  }
}

/** The flags as the list has them now: they change while a message is open. */
export function currentFlags(message: MessageView): { readonly seen: boolean; readonly flagged: boolean } {
  const inList = list.value.messages.find(({ uid }) => uid === message.uid);
  return { seen: inList?.seen ?? true, flagged: inList?.flagged ?? message.flagged };
}

// What is read follows the address.
effect(() => {
  const { uid } = route.value;
  const mailbox = currentMailbox.value?.id;
  if (session.value.at !== 'signed-in' || uid === undefined || mailbox === undefined) {
    openMessage.value = { at: 'none' };
    return;
  }
  const shown = openMessage.peek();
  if (shown.at === 'none' || shown.uid !== uid || shown.mailbox !== mailbox) void readMessage(mailbox, uid);
});
