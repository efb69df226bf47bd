/** The window in which a message is written. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { addFiles, change, closeDraft, discardDraft, sendDraft } from './compose-state.ts';
import type { Draft } from './compose-state.ts';
import { sizeText } from '../../../../shared/page/dates.ts';
import { Icon } from '../../../../shared/page/icons.tsx';
import { Toasts } from '../../../../shared/page/toasts.tsx';
import { texts } from './texts.ts';

export function Compose({ draft }: { readonly draft: Draft }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const keyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void sendDraft();
  };
  return (
    <dialog ref={dialog} class="compose" aria-label={draft.title} onKeyDown={keyDown} onCancel={(event) => {
      event.preventDefault();
      void closeDraft();
    }} onDragOver={(event) => event.preventDefault()} onDrop={(event) => {
      event.preventDefault();
      addFiles([...(event.dataTransfer?.files ?? [])]);
    }}>
      <form class="compose-form" onSubmit={(event) => {
        event.preventDefault();
        void sendDraft();
      }}>
        <header class="compose-head">
          <h2>{draft.title}</h2>
          <button class="icon-button" type="button" aria-label={texts.value.compose.saveAndClose} title={texts.value.compose.saveAndClose} onClick={() => void closeDraft()}><Icon name="close" /></button>
        </header>
        <Fields draft={draft} />
        <Files draft={draft} />
        <Foot draft={draft} />
      </form>
      {/* Nothing outside a modal dialog can be seen above it, or touched. */}
      <Toasts dismiss={texts.value.dismiss} />
    </dialog>
  );
}

function Fields({ draft: { to, cc, bcc, subject, text } }: { readonly draft: Draft }) {
  const copies = useSignal<'shown' | 'hidden'>(cc !== '' || bcc !== '' ? 'shown' : 'hidden');
  const body = useRef<HTMLTextAreaElement>(null);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (to === '') first.current?.focus();
    else body.current?.focus();
    body.current?.setSelectionRange(0, 0);
  }, []);
  return (
    <>
      <div class="compose-line">
        <label for="compose-to">{texts.value.to}</label>
        <input id="compose-to" ref={first} type="text" inputMode="email" autocapitalize="none" autocomplete="off" spellcheck={false} value={to} onInput={(event) => change({ to: event.currentTarget.value })} />
        {copies.value === 'hidden' && <button class="button button-quiet" type="button" onClick={() => { copies.value = 'shown'; }}>{texts.value.compose.copies}</button>}
      </div>
      {copies.value === 'shown' && (
        <>
          <div class="compose-line">
            <label for="compose-cc">{texts.value.cc}</label>
            <input id="compose-cc" type="text" inputMode="email" autocapitalize="none" autocomplete="off" spellcheck={false} value={cc} onInput={(event) => change({ cc: event.currentTarget.value })} />
          </div>
          <div class="compose-line">
            <label for="compose-bcc">{texts.value.bcc}</label>
            <input id="compose-bcc" type="text" inputMode="email" autocapitalize="none" autocomplete="off" spellcheck={false} value={bcc} onInput={(event) => change({ bcc: event.currentTarget.value })} />
          </div>
        </>
      )}
      <div class="compose-line">
        <label for="compose-subject">{texts.value.subject}</label>
        <input id="compose-subject" type="text" autocomplete="off" value={subject} onInput={(event) => change({ subject: event.currentTarget.value })} />
      </div>
      <textarea ref={body} class="compose-text" aria-label={texts.value.compose.text} dir="auto" value={text} onInput={(event) => change({ text: event.currentTarget.value })} />
    </>
  );
}

function Files({ draft: { files, kept } }: { readonly draft: Draft }) {
  if (files.length === 0 && kept.length === 0) return null;
  return (
    <ul class="compose-files" aria-label={texts.value.reader.attachments}>
      {kept.map((each) => <FileChip key={`${String(each.uid)} ${each.part}`} name={each.name} size={each.size} remove={() => change({ kept: kept.filter((other) => other !== each) })} />)}
      {files.map((each, index) => <FileChip key={`${String(index)} ${each.name}`} name={each.name} size={each.size} remove={() => change({ files: files.filter((other) => other !== each) })} />)}
    </ul>
  );
}

function FileChip({ name, size, remove }: { readonly name: string; readonly size: number; readonly remove: () => void }) {
  return (
    <li class="file-chip">
      <Icon name="attach" /><span class="attachment-name">{name}</span><span class="attachment-size">{sizeText(size)}</span>
      <button class="icon-button" type="button" aria-label={texts.value.compose.remove(name)} onClick={remove}><Icon name="close" /></button>
    </li>
  );
}

function Foot({ draft: { state } }: { readonly draft: Draft }) {
  const busy = state !== 'writing';
  return (
    <footer class="compose-foot">
      <button class="button button-primary" type="submit" disabled={busy} title="Ctrl+Enter"><Icon name="sent" /> {state === 'sending' ? texts.value.compose.sending : texts.value.compose.send}</button>
      <label class="button attach-button"><Icon name="attach" /> {texts.value.compose.attach}<input type="file" multiple aria-label={texts.value.compose.attachFiles} onChange={(event) => {
        addFiles([...(event.currentTarget.files ?? [])]);
        event.currentTarget.value = '';
      }} /></label>
      <span class="compose-gap">{state === 'saving' ? texts.value.compose.saving : ''}</span>
      <button class="icon-button" type="button" aria-label={texts.value.compose.discard} title={texts.value.compose.discard} disabled={busy} onClick={discardDraft}><Icon name="trash" /></button>
    </footer>
  );
}
