/** A draft of a configuration: the text of a version with edits that are not published yet, and which version it came from (pure). */
import { isDeepStrictEqual } from 'node:util';
import { isCollection, isMap, isNode, isPair, isScalar, isSeq, parse, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { Failure } from '../../shared/base/failure.ts';

export interface Draft {
  /** The number of the published version it came from; the digest of the file where there is none. */
  readonly from: string;
  readonly text: string;
}

const head = /^# Draft of version (\S+)\. .*\n/;

/** As it is kept in a file: the first line is a comment, so that the rest can be edited and checked like any configuration. */
export function formatDraft({ from, text }: Draft): string {
  return `# Draft of version ${from}. "waybill config draft commit" puts it to use, unless another version came meanwhile.\n${text}`;
}

/** @throws Failure('bad-input') */
export function parseDraft(text: string): Draft {
  const found = head.exec(text);
  if (found?.[1] === undefined) throw new Failure('bad-input', 'the draft has lost its first line, which says of which version it is');
  return { from: found[1], text: text.slice(found[0].length) };
}

/** A place in the document: `nodes.be1.services.imap.listeners[0].address`; `[+]` is a new item of a list, and `["a.b"]` a name with dots. */
export type Place = readonly (string | number)[];

/** @throws Failure('bad-input') */
export function parsePlace(text: string): Place {
  const steps: (string | number)[] = [];
  const step = /(?:^|(?<!^)\.)([^.[\]"]+)|\[(\d+|\+)\]|\["([^"]+)"\]/y;
  while (step.lastIndex < text.length) {
    const found = step.exec(text);
    if (found === null) throw new Failure('bad-input', `${text} is no place in a configuration, such as nodes.be1.services.imap.listeners[0].address`);
    const [, name, index, quoted] = found;
    steps.push(index === undefined || index === '+' ? (index ?? name ?? quoted ?? '') : Number(index));
  }
  if (steps.length === 0) throw new Failure('bad-input', 'an empty path is no place in a configuration');
  return steps;
}

/**
 * The text with the value at that place; maps on the way are made. All else stays as it is written, comments too, where that can be done.
 * @param value YAML
 * @throws Failure('bad-input')
 */
export function withValueAt(text: string, place: Place, value: string): string {
  const parsed = readValue(value);
  const document = readDocument(text);
  const path = resolved(document, place);
  const written = insertion(document, path, { text, value: value.includes('\n') ? JSON.stringify(parsed) : value.trim() });
  document.setIn(path, document.createNode(parsed));
  return asWanted(document, written);
}

/** @throws Failure('bad-input') where nothing is */
export function withoutValueAt(text: string, place: Place): string {
  const document = readDocument(text);
  if (!document.hasIn(place)) throw new Failure('bad-input', 'there is nothing at this place');
  const pair = pairAt(document, place, text);
  const written = pair === undefined ? undefined : text.slice(0, lineStart(text, pair.from)) + text.slice(lineEnd(text, pair.to) + 1);
  document.deleteIn(place);
  return asWanted(document, written);
}

/** The hand-written form, if it means what the changed document means; else the document written anew. */
function asWanted(document: Document, written: string | undefined): string {
  const again = document.toString({ lineWidth: 0 });
  if (written === undefined) return again;
  const result = parseDocument(written, yamlOptions);
  return result.errors.length === 0 && isDeepStrictEqual(result.toJS(), parseDocument(again, yamlOptions).toJS()) ? written : again;
}

/** What the text would be with the value in it; undefined where there is no simple place for it. */
function insertion(document: Document, path: Place, { text, value }: { readonly text: string; readonly value: string }): string | undefined {
  const present = document.getIn(path, true);
  if (isNode(present) && present.range) return text.slice(0, present.range[0]) + value + text.slice(contentEnd(text, present.range));
  const depth = path.findLastIndex((_, index) => isCollection(index === 0 ? document.contents : document.getIn(path.slice(0, index), true)));
  const above = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
  if (!isCollection(above)) return undefined;
  const last = above.items.at(-1);
  const [key, node] = isPair(last) ? [last.key, last.value] : [last, last];
  if (!isNode(key) || !isNode(node) || !key.range || !node.range) return undefined;
  const nested = path.slice(depth + 1).reduceRight<string>((inner, step) => `{ ${JSON.stringify(step)}: ${inner} }`, value);
  const item = isSeq(above) ? nested : `${nameText(path[depth] ?? '')}: ${nested}`;
  const end = contentEnd(text, node.range);
  if (above.flow === true) return `${text.slice(0, end)}, ${item}${text.slice(end)}`;
  const indent = ' '.repeat((isSeq(above) ? text.lastIndexOf('-', key.range[0]) : key.range[0]) - lineStart(text, key.range[0]));
  const line = lineEnd(text, end);
  return `${text.slice(0, line)}\n${indent}${isSeq(above) ? '- ' : ''}${item}${text.slice(line)}`;
}

function nameText(step: string | number): string {
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(String(step)) ? String(step) : JSON.stringify(step);
}

/** Where the key begins and its value ends, of a pair of a map that is written in lines of its own. */
function pairAt(document: Document, place: Place, text: string): { readonly from: number; readonly to: number } | undefined {
  const above = place.length === 1 ? document.contents : document.getIn(place.slice(0, -1), true);
  if (!isMap(above) || above.flow === true) return undefined;
  const pair = above.items.find(({ key }) => isScalar(key) && key.value === place.at(-1));
  const range = isNode(pair?.value) ? pair.value.range : undefined;
  return isNode(pair?.key) && pair.key.range && range ? { from: pair.key.range[0], to: contentEnd(text, range) } : undefined;
}

/** The end of what is written there, without the blank lines after it. */
function contentEnd(text: string, [from, to]: readonly [number, number, number] | readonly number[]): number {
  return (from ?? 0) + text.slice(from, to).trimEnd().length;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const found = text.indexOf('\n', offset);
  return found === -1 ? text.length : found;
}

const yamlOptions = { version: '1.2', schema: 'core' } as const;

function readValue(value: string): unknown {
  try {
    return parse(value, yamlOptions) as unknown;
  } catch (error) {
    throw new Failure('bad-input', `the value is no YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readDocument(text: string): Document {
  const document = parseDocument(text, yamlOptions);
  if (document.errors.length > 0) throw new Failure('bad-input', `the draft is no YAML any more: ${document.errors[0]?.message ?? ''}`);
  return document;
}

/** Lists are only gone into where they are; `[+]` becomes the next index. */
function resolved(document: Document, place: Place): Place {
  return place.map((step, index) => {
    const above = index === 0 ? document.contents : document.getIn(place.slice(0, index), true);
    if (step === '+') return isSeq(above) ? above.items.length : 0;
    const isMissing = above !== undefined && above !== null && !isCollection(above);
    if (isMissing || (typeof step === 'number' && (!isSeq(above) || step >= above.items.length))) {
      throw new Failure('bad-input', `nothing can be put at ${String(step)} of ${place.slice(0, index).join('.')}: ${isMissing ? 'that is a single value' : 'there is no such item'}`);
    }
    return step;
  });
}
