/** Downloads: one part, decoded, or the whole message as it came in. Nothing of it is ever shown by the browser as a page of ours. */
import { once } from 'node:events';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import type { Exchange } from '../../shared/http/http-service.ts';
import { createTransferDecoder } from '../../shared/mime/text.ts';
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import type { StoredMessage } from '../storage/storage.ts';
import { pathMessage } from './call.ts';
import type { Call } from './call.ts';
import { findPart, nameOf } from './message-parts.ts';

const chunkBytes = 256 * 1024;

/** Types told truly; all else is bytes. */
const harmlessTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'application/pdf', 'application/zip', 'text/calendar', 'text/vcard']);

export async function downloadPart(call: Call): Promise<void> {
  const { message } = pathMessage(call);
  const part = findPart(message.structure.root, call.parameters.text('part'));
  if (part === undefined) throw new HttpRefusal('no-such-thing', 'The message has no such part.');
  const type = `${part.type}/${part.subtype}`;
  setDownloadHeaders(call.exchange, { name: nameOf(part), type: harmlessTypes.has(type) ? type : 'application/octet-stream' });
  const decoder = createTransferDecoder(part.encoding);
  for await (const chunk of readPieces(message, part.bodyStart, part.bodyEnd)) await write(call.exchange, decoder.write(chunk));
  call.exchange.response.end(decoder.end());
}

export async function downloadSource(call: Call): Promise<void> {
  const { message } = pathMessage(call);
  const subject = decodeWords(message.structure.envelope.subject ?? '').replace(/[\p{Cc}\p{Cf}/\\]+/gu, '_').slice(0, 80);
  setDownloadHeaders(call.exchange, { name: `${subject || 'message'}.eml`, type: 'message/rfc822' });
  call.exchange.response.setHeader('content-length', message.size);
  for await (const chunk of readPieces(message, 0, message.size)) await write(call.exchange, chunk);
  call.exchange.response.end();
}

/** A stored message's bytes from `start` to before `end`, piece by piece. */
export async function* readPieces(message: StoredMessage, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; at += chunkBytes) yield message.read(at, Math.min(chunkBytes, end - at));
}

/** RFC 6266: a name for old programs, and the true one. The policy keeps the browser from running anything in it. */
function setDownloadHeaders({ response }: Exchange, file: { readonly name: string; readonly type: string }): void {
  const plainName = file.name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encodedName = encodeURIComponent(file.name.toWellFormed()).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  response.setHeader('content-type', file.type);
  response.setHeader('content-disposition', `attachment; filename="${plainName}"; filename*=UTF-8''${encodedName}`);
  response.setHeader('content-security-policy', "default-src 'none'; sandbox");
  response.setHeader('cache-control', 'private, no-store');
}

async function write({ response }: Exchange, chunk: Buffer): Promise<void> {
  if (response.destroyed || response.write(chunk)) return;
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}
