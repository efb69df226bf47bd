/** Message-IDs as threads compare them (RFC 5256 section 3, REFERENCES): quoting taken off. Pure. */
import type { MessageHeader } from './part-header.ts';

/** The id of `<left@right>`, without the brackets; undefined when it is none. */
function normalised(id: string): string | undefined {
  const quoted = /^<"((?:[^"\\]|\\.)*)"@([^<>@]+)>$/.exec(id);
  if (quoted !== null) return `${(quoted[1] ?? '').replaceAll(/\\(.)/g, '$1')}@${quoted[2] ?? ''}`;
  return /^<[^<>]+@[^<>]+>$/.test(id) ? id.slice(1, -1) : undefined;
}

/** The message's own id; undefined when it has no valid one. */
export function ownId({ envelope }: MessageHeader): string | undefined {
  return firstValid(envelope.messageId?.match(/<[^<>]*>/g) ?? []);
}

/** Its ancestors as far as it tells them, the nearest last: the ids of References, or without valid ones the first of In-Reply-To. */
export function ancestors({ references, fromReferences }: MessageHeader): string[] {
  const chain = references.slice(0, fromReferences).map(normalised).filter((id) => id !== undefined);
  if (chain.length > 0) return chain;
  const parent = firstValid(references.slice(fromReferences));
  return parent === undefined ? [] : [parent];
}

function firstValid(ids: readonly string[]): string | undefined {
  for (const id of ids) {
    const valid = normalised(id);
    if (valid !== undefined) return valid;
  }
  return undefined;
}
