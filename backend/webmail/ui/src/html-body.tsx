/** HTML mail in a frame without scripts and without an origin; pictures from elsewhere only when the user asks. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { MessageView } from '../../api.ts';
import { getBlob } from './api.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import { framePage, namedPictures } from './sanitise.ts';
import type { FrameOptions } from './sanitise.ts';
import { attempt } from '../../../../shared/page/toasts.tsx';
import { texts } from './texts.ts';

/** Links may open pages of their own; nothing else is allowed. */
const sandbox = 'allow-popups allow-popups-to-escape-sandbox';
const largestPicture = 5_000_000;
const mostPictures = 30;

export function HtmlBody({ mailbox, message, html }: { readonly mailbox: number; readonly message: MessageView; readonly html: string }) {
  const remote = useSignal<FrameOptions['remote']>('blocked');
  const pictures = useSignal<ReadonlyMap<string, string>>(new Map());
  const frame = useRef<HTMLIFrameElement>(null);
  const page = useComputed(() => framePage(html, { remote: remote.value, pictures: pictures.value }));
  useEffect(() => {
    void attempt(async () => {
      const loaded = await loadPictures(mailbox, message, html);
      if (loaded.size > 0) pictures.value = loaded;
    });
  }, [mailbox, message, html]);
  useEffect(() => {
    // The DOM's types don't know yet that srcdoc takes a TrustedHTML.
    if (frame.current !== null) Object.assign(frame.current, { srcdoc: page.value.page });
  }, [page.value]);
  return (
    <div class="html-body">
      {page.value.blocked && (
        <p class="notice remote-notice">
          <Icon name="image" /><span>{texts.value.reader.remoteHidden}</span>
          <button class="button button-small" onClick={() => { remote.value = 'allowed'; }}>{texts.value.reader.showRemote}</button>
        </p>
      )}
      <iframe ref={frame} title={texts.value.reader.text} sandbox={sandbox} referrerpolicy="no-referrer" />
    </div>
  );
}

/** The message's own pictures that its text shows, as data: URLs, since the frame can't ask our server. */
async function loadPictures(mailbox: number, message: MessageView, html: string): Promise<ReadonlyMap<string, string>> {
  const named = new Set(namedPictures(html));
  const wanted = message.attachments.filter(({ contentId, type, size }) => contentId !== undefined && named.has(contentId) && /^image\/(png|jpe?g|gif|webp|bmp|avif)$/.test(type) && size < largestPicture);
  const loaded = await Promise.all(wanted.slice(0, mostPictures).map(async ({ part, type, contentId = '' }) => {
    const blob = await getBlob(`/api/mailboxes/${String(mailbox)}/messages/${String(message.uid)}/parts/${part}`);
    return [contentId, await dataUrl(new Blob([blob], { type }))] as const;
  }));
  return new Map(loaded);
}

async function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(String(reader.result)));
    reader.addEventListener('error', () => reject(reader.error ?? new Error(texts.value.reader.badPicture)));
    reader.readAsDataURL(blob);
  });
}
