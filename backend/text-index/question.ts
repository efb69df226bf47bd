/** A question about the text of a message, and the answer by looking into it. Right for any script and encoding, whatever an index knows. */
import { splitFields } from '../../shared/mime/header.ts';
import type { HeaderField } from '../../shared/mime/header.ts';
import { chooseFields } from '../../shared/mime/kept-fields.ts';
import type { FieldChoice } from '../../shared/mime/kept-fields.ts';
import type { Part } from '../../shared/mime/structure.ts';
import type { StoredMessage } from '../storage/storage.ts';
import { fieldsOf, fileNames, headerHolds, hearTexts, isText, partsOf, subjectText, valueText } from './message-texts.ts';

/** `value` is casemapped, `name` lower-case. An empty value of a header asks whether the field is there. */
export type TextQuestion =
  | { readonly in: 'body' | 'text'; readonly value: string }
  | { readonly in: 'header'; readonly name: string; readonly value: string };

export type HeaderQuestion = Extract<TextQuestion, { readonly in: 'header' }>;

/** The fields that a question about the header looks at; undefined where only the message can tell. */
export function fieldsAsked({ name }: HeaderQuestion): FieldChoice | undefined {
  return /^[!-9;-~]+$/.test(name) ? chooseFields([name.toUpperCase()]) : undefined;
}

/** As `holds`. @param lines those of the fields, as they stand in the message (latin1) */
export function linesHold(lines: string, { name, value }: HeaderQuestion): boolean {
  if (lines === '' || (isPlain(lines) && !lines.toUpperCase().includes(value))) return false;
  return value === '' ? splitFields(lines).length > 0 : searchedFields(lines, name).some((field) => valueText(field).includes(value));
}

/** What a value is looked for in: the texts of the fields, each on a line. @param lines as `linesHold` */
export function searchedText(lines: string, name: string): string {
  return searchedFields(lines, name).map(valueText).join('\n');
}

function searchedFields(lines: string, name: string): HeaderField[] {
  const fields = splitFields(lines);
  return name === 'subject' ? fields.slice(0, 1) : fields; // the structure has the first
}

/** Most are on one line and in ASCII: what is not in them as they stand is not in their values. */
function isPlain(lines: string): boolean {
  return !/=\?|\n[ \t]|[^\x00-\x7f]/.test(lines);
}

/** Rejects with `storage-failure` when the message can't be read. */
export async function holds(message: StoredMessage, question: TextQuestion): Promise<boolean> {
  const { value } = question;
  if (question.in === 'header') return fieldHolds(message, question.name, value);
  if (value === '') return true;
  return (question.in === 'text' && (await anyHeaderHolds(message, value))) || bodyHolds(message, value);
}

async function fieldHolds(message: StoredMessage, name: string, value: string): Promise<boolean> {
  if (name === 'subject' && value !== '') return subjectText(message).includes(value);
  const fields = await fieldsOf(message, message.structure.root);
  return fields.some((field) => field.name === name && (value === '' || valueText(field).includes(value)));
}

/** A field of the message or of one of its parts, or the name of an attachment. */
async function anyHeaderHolds(message: StoredMessage, value: string): Promise<boolean> {
  for (const part of partsOf(message.structure.root)) {
    if (await headerHolds(message, part, value) || fileNames(part).some((name) => name.includes(value))) return true;
  }
  return false;
}

/** A text part, or the header of an enclosed message. */
async function bodyHolds(message: StoredMessage, value: string): Promise<boolean> {
  for (const part of partsOf(message.structure.root)) {
    if (isText(part) && (await textHolds(message, part, value))) return true;
    const [enclosed] = part.type === 'message' ? part.children : [];
    if (enclosed !== undefined && await headerHolds(message, enclosed, value)) return true;
  }
  return false;
}

async function textHolds(message: StoredMessage, part: Part, value: string): Promise<boolean> {
  let found = false;
  let before = '';
  await hearTexts(message, part, { wanted: value, hear: ({ text, ends }) => {
    const whole = before + text;
    found = whole.includes(value);
    before = ends === 'whole' ? '' : whole.slice(Math.max(0, whole.length - value.length)); // what is wanted may go over a line's end
    return found ? 'enough' : 'more';
  } });
  return found;
}
