/** The message list that is shown: loading, paging, searching, and what is done to messages in it. */
import { effect, signal } from '@preact/signals';
import type { MailboxView, MessagePage, MessageSummary } from '../../api.ts';
import { get, post } from './api.ts';
import type { Activity } from './api.ts';
import { currentMailbox, displayName, loadMailboxes, mailboxes } from './mailboxes.ts';
import { goTo, route } from './route.ts';
import { session } from './session.ts';
import { attempt, showError, showNote } from '../../../../shared/page/toasts.tsx';
import { texts } from './texts.ts';

export interface MessageList {
  readonly mailbox: number | undefined;
  readonly search: string;
  readonly messages: readonly MessageSummary[];
  readonly more: boolean;
  readonly state: 'loading' | 'ready' | 'failed';
}

const nothing: MessageList = { mailbox: undefined, search: '', messages: [], more: false, state: 'loading' };
const pageSize = 50;
const largestPage = 200;

export const list = signal<MessageList>(nothing);

async function readPage(mailbox: number, query: Record<string, string>, activity: Activity): Promise<MessagePage> {
  return get<MessagePage>(`/api/mailboxes/${String(mailbox)}/messages?${new URLSearchParams(query).toString()}`, activity);
}

/** Shows a folder's newest messages, or those with the words searched for. */
export async function openList(mailbox: number, search = ''): Promise<void> {
  const wanted: MessageList = { ...nothing, mailbox, search };
  list.value = wanted;
  try {
    const page = await readPage(mailbox, { limit: String(pageSize), search }, 'user');
    if (list.value === wanted) list.value = { ...wanted, ...page, state: 'ready' };
  } catch (error) {
    if (list.value !== wanted) return;
    list.value = { ...wanted, state: 'failed' };
    showError(error);
  }
}

export async function loadOlder(): Promise<void> {
  const { mailbox, search, messages } = list.value;
  const last = messages.at(-1);
  if (mailbox === undefined || last === undefined) return;
  await attempt(async () => {
    const page = await readPage(mailbox, { limit: String(pageSize), before: String(last.uid), search }, 'user');
    const { value } = list;
    if (value.mailbox === mailbox && value.search === search && value.messages.at(-1) === last) list.value = { ...value, messages: [...value.messages, ...page.messages], more: page.more };
  });
}

/** Brings folders and list up to date after news. Long lists are refreshed at their beginning only. */
export async function refresh(activity: Activity): Promise<void> {
  await loadMailboxes(activity);
  const before = list.value;
  if (before.mailbox === undefined || before.search !== '' || before.state === 'loading') return;
  const limit = Math.min(Math.max(pageSize, before.messages.length), largestPage);
  const page = await readPage(before.mailbox, { limit: String(limit) }, activity);
  if (list.value.mailbox !== before.mailbox || list.value.search !== '') return;
  const oldest = page.messages.at(-1)?.uid ?? 0;
  const beyond = page.more ? list.value.messages.filter(({ uid }) => uid < oldest) : [];
  list.value = { ...list.value, messages: [...page.messages, ...beyond], more: beyond.length > 0 ? list.value.more : page.more, state: 'ready' };
}

// The list follows the folder that is shown.
effect(() => {
  const mailbox = currentMailbox.value?.id;
  if (session.value.at === 'signed-in' && mailbox !== undefined && list.peek().mailbox !== mailbox) void openList(mailbox);
  if (session.value.at === 'signed-out') {
    list.value = nothing;
    mailboxes.value = [];
  }
});

type FlagName = 'seen' | 'flagged';

/** Sets or clears a flag: at once on the screen, taken back when the server refuses. */
export async function setFlag(mailbox: number, message: MessageSummary, [flag, value]: readonly [FlagName, boolean]): Promise<void> {
  if (message[flag] === value) return;
  show(message.uid, { [flag]: value });
  if (flag === 'seen') countUnseen(mailbox, value ? -1 : 1);
  const body = { uids: [message.uid], [value ? 'add' : 'remove']: [flag] };
  if (await attempt(async () => post(`/api/mailboxes/${String(mailbox)}/flags`, body))) return;
  show(message.uid, { [flag]: !value });
  if (flag === 'seen') countUnseen(mailbox, value ? 1 : -1);
}

function show(uid: number, change: Partial<MessageSummary>): void {
  list.value = { ...list.value, messages: list.value.messages.map((each) => (each.uid === uid ? { ...each, ...change } : each)) };
}

function countUnseen(mailbox: number, difference: number): void {
  mailboxes.value = mailboxes.value.map((each) => (each.id === mailbox ? { ...each, unseen: Math.max(0, each.unseen + difference) } : each));
}

export async function deleteMessage(mailbox: MailboxView, uid: number): Promise<void> {
  const done = await attempt(async () => post(`/api/mailboxes/${String(mailbox.id)}/delete`, { uids: [uid] }));
  if (done) await gone(mailbox.id, uid, mailbox.role === 'trash' ? texts.value.reader.deletedForGood : texts.value.reader.toTrash);
}

export async function moveMessage(mailbox: MailboxView, uid: number, to: MailboxView): Promise<void> {
  const done = await attempt(async () => post(`/api/mailboxes/${String(mailbox.id)}/move`, { uids: [uid], to: to.id }));
  if (done) await gone(mailbox.id, uid, texts.value.reader.moved(displayName(to).depth > 0 ? to.name : displayName(to).text));
}

/** A message left the folder: the next one takes its place where both panes are seen, the list on a phone. */
async function gone(mailbox: number, uid: number, note: string): Promise<void> {
  const { messages } = list.value;
  const index = messages.findIndex((each) => each.uid === uid);
  const next = messages[index + 1] ?? messages[index - 1];
  list.value = { ...list.value, messages: messages.filter((each) => each.uid !== uid) };
  showNote(note);
  if (route.value.uid === uid) goTo(mailbox, matchMedia('(min-width: 760px)').matches ? next?.uid : undefined, 'replace');
  await attempt(async () => loadMailboxes());
}
