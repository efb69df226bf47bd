/** The folder list. */
import { computed, signal } from '@preact/signals';
import type { MailboxRole, MailboxView } from '../../api.ts';
import { get } from './api.ts';
import type { Activity } from './api.ts';
import { route } from './route.ts';
import { texts } from './texts.ts';

const order: readonly MailboxRole[] = ['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash', 'none'];

export const mailboxes = signal<readonly MailboxView[]>([]);

/** The folder that is shown: the one of the address, else the inbox. */
export const currentMailbox = computed(() => mailboxes.value.find(({ id }) => id === route.value.mailbox) ?? mailboxes.value[0]);

export async function loadMailboxes(activity: Activity = 'user'): Promise<void> {
  const answer = await get<{ mailboxes: MailboxView[] }>('/api/mailboxes', activity);
  mailboxes.value = answer.mailboxes.toSorted((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || a.name.localeCompare(b.name));
}

/** The last level of a folder's name, and how deep it lies. */
export function displayName({ name, role }: MailboxView): { readonly text: string; readonly depth: number } {
  const levels = name.split('/');
  return { text: texts.value.folderNames[role] ?? levels.at(-1) ?? name, depth: levels.length - 1 };
}
