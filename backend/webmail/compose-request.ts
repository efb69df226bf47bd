/** Reads what the page sends of a message being written: JSON, or a form of JSON and files; and the addresses in it. */
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { readBody } from '../../shared/http/body.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import { parseAddressList } from '../../shared/mime/address.ts';
import { formatAddress, parseAddress } from '../../shared/smtp/address.ts';
import type { AddressView, ComposeRequest } from './api.ts';
import type { Call } from './call.ts';
import { addressViews } from './message-list.ts';

export interface UploadedFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

const place = { mailbox: z.number().int().positive(), uid: z.number().int().positive() };
const addressText = z.string().max(100_000).default('');

const composeRequest = z.strictObject({
  to: addressText,
  cc: addressText,
  bcc: addressText,
  subject: z.string().max(2000).default(''),
  text: z.string().max(2_000_000).default(''),
  answers: z.strictObject({ ...place, as: z.enum(['reply', 'forward']) }).optional(),
  draft: z.strictObject(place).optional(),
  keep: z.array(z.strictObject({ ...place, part: z.string().regex(/^\d{1,4}(\.\d{1,4}){0,50}$/) })).max(100).default([]),
});

/** @throws Failure('bad-input'), Failure('message-too-big'), HttpRefusal for another content type */
export async function readComposeRequest({ exchange: { request }, options, waitForClient }: Pick<Call, 'exchange' | 'options' | 'waitForClient'>): Promise<{ readonly written: ComposeRequest; readonly files: readonly UploadedFile[] }> {
  const type = request.headers['content-type'] ?? '';
  const body = async (): Promise<Buffer> => waitForClient(async () => readBody(request, options.limits.maxBodyBytes));
  if (/^application\/json\b/i.test(type)) return { written: parseWritten((await body()).toString('utf8')), files: [] };
  if (!/^multipart\/form-data\b/i.test(type)) throw new HttpRefusal('not-acceptable-type', 'A message is sent as JSON or as a form.');
  const form = await readForm(await body(), type);
  const message = form.get('message');
  const files = form.getAll('attachment').filter((each) => typeof each !== 'string');
  return { written: parseWritten(typeof message === 'string' ? message : ''), files: await Promise.all(files.map(readFile)) };
}

async function readForm(body: Buffer, type: string): Promise<FormData> {
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  } catch (cause) {
    throw new Failure('bad-input', 'The form is not understood.', { cause });
  }
}

async function readFile(file: File): Promise<UploadedFile> {
  return { name: file.name.replace(/[\p{Cc}/\\]+/gu, '_'), type: /^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : 'application/octet-stream', bytes: Buffer.from(await file.arrayBuffer()) };
}

function parseWritten(text: string): ComposeRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure('bad-input', 'The message is not JSON.', { cause });
  }
  const result = composeRequest.safeParse(json);
  if (!result.success) throw new Failure('bad-input', `The message is not understood: ${z.prettifyError(result.error)}`);
  return result.data;
}

/** The addresses in a list as people write it, domains in A-labels. @throws Failure('bad-input') naming the first one that is none */
export function readAddresses(text: string): AddressView[] {
  return looseAddresses(text).map(({ name, address }) => {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new Failure('bad-input', `"${(address || name).slice(0, 100)}" is not a mail address.`);
    return { name, address: formatAddress(parsed) };
  });
}

/** What is there so far, whole addresses or not: for drafts. */
export function looseAddresses(text: string): AddressView[] {
  return addressViews(parseAddressList(Buffer.from(text.replace(/[\r\n;]+/g, ','), 'utf8').toString('latin1')));
}
