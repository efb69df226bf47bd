/** Items of FETCH that the index keeps word by word, so that the message need not be looked into. */
import type { ContentItem, FetchItem, HeaderFields, StructureItem } from '../../shared/imap/fetch-items.ts';
import { chooseFields } from '../../shared/mime/kept-fields.ts';
import type { MessageRow } from '../storage/storage.ts';
import type { Selected } from './command.ts';
import { rowValues } from './fetch-rows.ts';
import { messageLead } from './news.ts';
import type { Numbered } from './view.ts';

type KeptStructure = Extract<FetchItem, { readonly kind: 'structure' }> & { readonly name: Extract<StructureItem, 'ENVELOPE' | 'BODYSTRUCTURE'> };
type KeptHeader = ContentItem & { readonly kind: 'section'; readonly section: { readonly part: readonly []; readonly of: HeaderFields } };

/** What tells the item of a message; undefined where the message has to be looked into, or is gone. */
type KeptValue = (row: MessageRow) => string | undefined;

/** Each name is looked for among all that the message has: thousands of them take longer than to read it. Mail programs ask for some twenty. */
const mostNames = 64;

/** The words of the structure, and named fields of the message's own header. */
export function isKept(item: FetchItem): item is KeptStructure | KeptHeader {
  if (item.kind === 'structure') return item.name === 'ENVELOPE' || item.name === 'BODYSTRUCTURE';
  return item.kind === 'section' && item.section.part.length === 0 && typeof item.section.of === 'object' && item.section.of.which === 'these' && item.section.of.fields.length <= mostNames;
}

function keptValue({ session, view }: Selected, item: KeptStructure | KeptHeader): KeptValue {
  if (item.kind === 'section') return headerValue(item, view.mailbox.headerFields(chooseFields(item.section.of.fields)));
  const textOf = view.mailbox.structureTexts(item.name, session.strings);
  const lead = `${item.name} `;
  return (row) => {
    const text = textOf(row);
    return text === undefined ? undefined : lead + text;
  };
}

/** The empty line that ends each header belongs to it (RFC 9051 section 6.4.5.1). */
function headerValue({ label, partial }: KeptHeader, linesOf: KeptValue): KeptValue {
  return (row) => {
    const lines = linesOf(row);
    if (lines === undefined) return undefined;
    if (partial === undefined) return `${label} {${String(lines.length + 2)}}\r\n${lines}\r\n`;
    const part = `${lines}\r\n`.slice(partial.offset, partial.offset + partial.length);
    return `${label} {${String(part.length)}}\r\n${part}`;
  };
}

/** Tells the responses of messages by their rows and by what is kept of them; undefined where a message has to be looked into, or is gone. */
export function keptResponses(selected: Selected, items: readonly FetchItem[]): (message: Numbered) => string | undefined {
  const { view } = selected;
  const values = items.map((item): KeptValue => (item.kind === 'row' ? (row) => rowValues[item.name](row, view) : isKept(item) ? keptValue(selected, item) : () => undefined));
  return (message) => {
    let text = messageLead(view, message);
    let separator = '';
    for (const value of values) {
      const told = value(message.row);
      if (told === undefined) return undefined;
      text += separator + told;
      separator = ' ';
    }
    return `${text})`;
  };
}
