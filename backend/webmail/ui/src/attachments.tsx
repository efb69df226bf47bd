/** The attachments of a message, for download. */
import type { MessageView } from '../../api.ts';
import { sizeText } from '../../../../shared/page/dates.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import { texts } from './texts.ts';

export function Attachments({ mailbox, message }: { readonly mailbox: number; readonly message: MessageView }) {
  const { attachments, uid } = message;
  if (attachments.length === 0) return null;
  const base = `/api/mailboxes/${String(mailbox)}/messages/${String(uid)}/parts`;
  return (
    <section class="attachments" aria-label={texts.value.reader.attachments}>
      <ul>
        {attachments.map(({ part, name, size, type }) => (
          <li key={part}>
            <a class="attachment" href={`${base}/${part}`} download={name} title={`${name} (${type})`}>
              <Icon name={type.startsWith('image/') ? 'image' : 'attach'} />
              <span class="attachment-name">{name}</span>
              <span class="attachment-size">{sizeText(size)}</span>
              <Icon name="download" />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
