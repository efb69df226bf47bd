/** The message being written: where it begins (new, answer, draft), and what becomes of it. */
import { computed, signal } from '@preact/signals';
import type { AddressView, ComposeRequest, DraftAnswer, MessagePlace, MessageView, SendAnswer } from '../../api.ts';
import { post } from './api.ts';
import { mediumDate, sizeText } from '../../../../shared/page/dates.ts';
import { textOfHtml } from './html-text.ts';
import { goTo, route } from './route.ts';
import { lastAddress, session } from './session.ts';
import { attempt, showError, showNote } from '../../../../shared/page/toasts.tsx';
import { nameOf, writtenAddress } from './people.tsx';
import { texts } from './texts.ts';

/** An attachment of a stored message that goes along. */
export interface KeptAttachment extends MessagePlace {
  readonly part: string;
  readonly name: string;
  readonly size: number;
}

export interface Draft {
  /** Whose it is: nobody else who signs in here gets to see it. */
  readonly owner: string;
  readonly title: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string;
  readonly text: string;
  readonly answers: ComposeRequest['answers'];
  readonly stored: MessagePlace | undefined;
  readonly kept: readonly KeptAttachment[];
  readonly files: readonly File[];
  readonly changed: 'yes' | 'no';
  readonly state: 'writing' | 'sending' | 'saving';
}

export const draft = signal<Draft | undefined>(undefined);

/** What is being written, if it belongs to the one who is signed in. */
export const ownDraft = computed(() => (draft.value?.owner === lastAddress.value ? draft.value : undefined));

const empty = { to: '', cc: '', bcc: '', subject: '', text: '', answers: undefined, stored: undefined, kept: [], files: [], changed: 'no', state: 'writing' } as const;

export type Answer = 'reply' | 'reply-all' | 'forward';

export function startWriting(): void {
  open({});
}

export function answerMessage(mailbox: number, message: MessageView, as: Answer): void {
  const place = { mailbox, uid: message.uid };
  if (as === 'forward') {
    const kept = message.attachments.map(({ part, name, size }) => ({ ...place, part, name, size }));
    open({ title: texts.value.reader.forward, subject: prefixed('Fwd', message.subject), text: forwardedText(message), answers: { ...place, as: 'forward' }, kept });
    return;
  }
  const { to, cc } = answerAddresses(message, as);
  open({ title: as === 'reply' ? texts.value.reader.reply : texts.value.reader.replyAll, to: written(to), cc: written(cc), subject: prefixed('Re', message.subject), text: quotedText(message), answers: { ...place, as: 'reply' } });
}

export function editDraft(mailbox: number, message: MessageView): void {
  const place = { mailbox, uid: message.uid };
  const { to, cc, bcc, subject } = message;
  const kept = message.attachments.map(({ part, name, size }) => ({ ...place, part, name, size }));
  open({ title: texts.value.compose.draft, to: written(to), cc: written(cc), bcc: written(bcc), subject, text: textOf(message), stored: place, kept });
}

export function change(values: Partial<Draft>): void {
  if (draft.value !== undefined) draft.value = { ...draft.value, ...values, changed: 'yes' };
}

/** Adds files, unless they are too many bytes together. */
export function addFiles(files: readonly File[]): void {
  const { value } = draft;
  if (value === undefined || session.value.at !== 'signed-in') return;
  const total = [...value.files, ...files, ...value.kept].reduce((sum, { size }) => sum + size, 0);
  const { maxUploadBytes } = session.value.limits;
  if (total > maxUploadBytes) showError(new Error(texts.value.compose.tooBig(sizeText(maxUploadBytes))));
  else change({ files: [...value.files, ...files] });
}

export async function sendDraft(): Promise<void> {
  const { value } = draft;
  if (value === undefined || value.state !== 'writing') return;
  draft.value = { ...value, state: 'sending' };
  const sent = await attempt(async () => {
    const { copy } = await post<SendAnswer>('/api/send', formOf(value));
    showNote(copy === 'kept' ? texts.value.compose.sent : texts.value.compose.sentNoCopy);
  });
  finish(sent, value);
}

/** Closes the window; what was written is kept in Drafts. */
export async function closeDraft(): Promise<void> {
  const { value } = draft;
  if (value === undefined || value.state !== 'writing') return;
  if (value.changed === 'no') {
    draft.value = undefined;
    return;
  }
  draft.value = { ...value, state: 'saving' };
  const saved = await attempt(async () => {
    await post<DraftAnswer>('/api/drafts', formOf(value));
    showNote(texts.value.compose.saved);
  });
  finish(saved, value);
}

export function discardDraft(): void {
  draft.value = undefined;
}

function finish(done: boolean, value: Draft): void {
  draft.value = done ? undefined : { ...value, state: 'writing' };
  // The stored draft was replaced or sent: it is not there to be read any more.
  if (done && value.stored !== undefined && route.value.uid === value.stored.uid) goTo(value.stored.mailbox, undefined, 'replace');
}

function open(values: Partial<Draft>): void {
  if (ownDraft.value?.changed === 'yes') {
    showNote(texts.value.compose.finishFirst);
    return;
  }
  draft.value = { ...empty, title: texts.value.compose.newMessage, owner: lastAddress.value, ...values };
}

function formOf({ to, cc, bcc, subject, text, answers, stored, kept, files }: Draft): FormData {
  const keep = kept.map(({ mailbox, uid, part }) => ({ mailbox, uid, part }));
  const request: ComposeRequest = { to, cc, bcc, subject, text, answers, draft: stored, keep };
  const form = new FormData();
  form.set('message', JSON.stringify(request));
  for (const file of files) form.append('attachment', file, file.name);
  return form;
}

function answerAddresses(message: MessageView, as: Answer): { readonly to: readonly AddressView[]; readonly cc: readonly AddressView[] } {
  const mine = lastAddress.value.toLowerCase();
  const others = (people: readonly AddressView[]): AddressView[] => people.filter(({ address }) => address.toLowerCase() !== mine);
  const fromMe = message.from.some(({ address }) => address.toLowerCase() === mine);
  const to = fromMe ? message.to : message.replyTo.length > 0 ? message.replyTo : message.from;
  if (as === 'reply') return { to, cc: [] };
  const already = new Set(to.map(({ address }) => address.toLowerCase()));
  const cc = others([...(fromMe ? [] : message.to), ...message.cc]).filter(({ address }) => !already.has(address.toLowerCase()));
  return { to, cc };
}

function written(people: readonly AddressView[]): string {
  return people.map(writtenAddress).join(', ');
}

function prefixed(prefix: 'Re' | 'Fwd', subject: string): string {
  return new RegExp(`^${prefix === 'Re' ? 're' : 'fwd?'}\\s*:`, 'i').test(subject) ? subject : `${prefix}: ${subject}`;
}

function textOf({ bodies }: MessageView): string {
  return bodies.map(({ kind, text }) => (kind === 'html' ? textOfHtml(text) : text.replace(/\r\n?/g, '\n'))).join('\n\n').trimEnd();
}

function quotedText(message: MessageView): string {
  const [sender] = message.from;
  const head = texts.value.compose.wrote(mediumDate(message.sentAtMs ?? message.dateMs), sender === undefined ? texts.value.compose.somebody : nameOf(sender));
  return `\n\n${head}\n${textOf(message).split('\n').map((line) => (line.startsWith('>') ? `>${line}` : `> ${line}`)).join('\n')}\n`;
}

function forwardedText(message: MessageView): string {
  const { from, date, forwarded } = texts.value.compose;
  const lines = [`${from}: ${written(message.from)}`, `${date}: ${mediumDate(message.sentAtMs ?? message.dateMs)}`, `${texts.value.subject}: ${message.subject}`, `${texts.value.to}: ${written(message.to)}`];
  return `\n\n---------- ${forwarded} ----------\n${lines.join('\n')}\n\n${textOf(message)}\n`;
}

addEventListener('beforeunload', (event) => {
  if (draft.value?.changed === 'yes') event.preventDefault();
});
