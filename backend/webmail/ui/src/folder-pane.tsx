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
import { texts } from './texts.ts';

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
          <button class="icon-button drawer-close" aria-label={texts.value.closeFolders} onClick={close}><Icon name="close" /></button>
        </div>
        <button class="button button-primary write-button" onClick={() => { close(); startWriting(); }}><Icon name="compose" /> {texts.value.write}</button>
        <nav aria-label={texts.value.folders}>
          <ul class="folders">
            {mailboxes.value.map((mailbox) => <Folder key={mailbox.id} mailbox={mailbox} onOpen={close} />)}
          </ul>
        </nav>
        <div class="account">
          <span class="account-address" title={address}>{address}</span>
          <button class="icon-button" aria-label={texts.value.settings} title={texts.value.settings} onClick={() => { close(); settings.value = 'open'; }}><Icon name="settings" /></button>
          <button class="icon-button" aria-label={texts.value.signOut} title={texts.value.signOut} onClick={() => void signOut()}><Icon name="signOut" /></button>
        </div>
      </aside>
    </>
  );
}

function Folder({ mailbox, onOpen }: { readonly mailbox: MailboxView; readonly onOpen: () => void }) {
  const { text, depth } = displayName(mailbox);
  const current = currentMailbox.value?.id === mailbox.id;
  const count = mailbox.role === 'drafts' ? mailbox.messages : mailbox.unseen;
  const counted = mailbox.role === 'drafts' ? texts.value.drafts : texts.value.unread;
  const open = (): void => {
    onOpen();
    if (current) void openList(mailbox.id);
  };
  return (
    <li>
      <a class={`folder depth-${String(Math.min(depth, 4))}`} href={hrefOf(mailbox.id)} aria-current={current ? 'page' : undefined} title={depth > 0 ? mailbox.name : text} onClick={open}>
        <Icon name={mailbox.role} />
        <span class="folder-name">{text}</span>
        {count > 0 && <span class={mailbox.role === 'inbox' ? 'count count-strong' : 'count'} aria-label={counted(String(count))}>{count}</span>}
      </a>
    </li>
  );
}
