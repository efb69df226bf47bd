/** The folders with their counts, the button to write, and who is signed in. */
import type { Signal } from '@preact/signals';
import type { MailboxView } from '../../api.ts';
import { startWriting } from './compose-state.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import { Logo } from '../../../../shared/page/logo.tsx';
import { currentMailbox, displayName, mailboxes } from './mailboxes.ts';
import { openList } from './messages.ts';
import { hrefOf } from './route.ts';
import { signOut } from './session.ts';
import { settings } from './settings-state.ts';

export function FolderPane({ address, drawer }: { readonly address: string; readonly drawer: Signal<'open' | 'closed'> }) {
  const close = (): void => {
    drawer.value = 'closed';
  };
  return (
    <>
      <div class="drawer-shade" onClick={close} />
      <aside class="folder-pane">
        <div class="folder-head">
          <Logo />
          <button class="icon-button drawer-close" aria-label="Close folders" onClick={close}><Icon name="close" /></button>
        </div>
        <button class="button button-primary write-button" onClick={() => { close(); startWriting(); }}><Icon name="compose" /> Write</button>
        <nav aria-label="Folders">
          <ul class="folders">
            {mailboxes.value.map((mailbox) => <Folder key={mailbox.id} mailbox={mailbox} onOpen={close} />)}
          </ul>
        </nav>
        <div class="account">
          <span class="account-address" title={address}>{address}</span>
          <button class="icon-button" aria-label="Settings" title="Settings" onClick={() => { close(); settings.value = 'open'; }}><Icon name="settings" /></button>
          <button class="icon-button" aria-label="Sign out" title="Sign out" onClick={() => void signOut()}><Icon name="signOut" /></button>
        </div>
      </aside>
    </>
  );
}

function Folder({ mailbox, onOpen }: { readonly mailbox: MailboxView; readonly onOpen: () => void }) {
  const { text, depth } = displayName(mailbox);
  const current = currentMailbox.value?.id === mailbox.id;
  const count = mailbox.role === 'drafts' ? mailbox.messages : mailbox.unseen;
  const counted = mailbox.role === 'drafts' ? 'drafts' : 'unread';
  const open = (): void => {
    onOpen();
    if (current) void openList(mailbox.id);
  };
  return (
    <li>
      <a class={`folder depth-${String(Math.min(depth, 4))}`} href={hrefOf(mailbox.id)} aria-current={current ? 'page' : undefined} title={mailbox.name} onClick={open}>
        <Icon name={mailbox.role} />
        <span class="folder-name">{text}</span>
        {count > 0 && <span class={mailbox.role === 'inbox' ? 'count count-strong' : 'count'} aria-label={`${String(count)} ${counted}`}>{count}</span>}
      </a>
    </li>
  );
}
