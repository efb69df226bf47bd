/** Downloads: one part, decoded, or the whole message as it came in. Nothing of it is ever shown by the browser as a page of ours. */
import { pipeline } from 'node:stream/promises';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import type { Exchange } from '../../shared/http/http-service.ts';
import { createTransferDecoder } from '../../shared/mime/text.ts';
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import type { Part } from '../../shared/mime/structure.ts';
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
  await call.waitForClient(async () => pipeline(decodePieces(message, part), call.exchange.response));
}

export async function downloadSource(call: Call): Promise<void> {
  const { message } = pathMessage(call);
  const subject = decodeWords(message.structure.envelope.subject ?? '').replace(/[\p{Cc}\p{Cf}/\\]+/gu, '_').slice(0, 80);
  setDownloadHeaders(call.exchange, { name: `${subject || 'message'}.eml`, type: 'message/rfc822' });
  call.exchange.response.setHeader('content-length', message.size);
  await call.waitForClient(async () => pipeline(readPieces(message, 0, message.size), call.exchange.response));
}

/** A stored message's bytes from `start` to before `end`, piece by piece. */
async function* readPieces(message: StoredMessage, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; at += chunkBytes) yield message.read(at, Math.min(chunkBytes, end - at));
}

async function* decodePieces(message: StoredMessage, part: Part): AsyncGenerator<Buffer> {
  const decoder = createTransferDecoder(part.encoding);
  for await (const piece of readPieces(message, part.bodyStart, part.bodyEnd)) yield decoder.write(piece);
  yield decoder.end();
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
