/** The fields of a message that tell administrators what it is; of the text nothing is shown. Pure. */
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import { fieldValue, splitFields } from '../../shared/mime/header.ts';

const names = ['From', 'To', 'Subject', 'Date', 'Message-ID'] as const;
const longestValue = 1000;

/** @param beginning the first bytes of the message; fields that begin after them are not seen */
export function tellingFields(beginning: Buffer): { name: string; value: string }[] {
  const text = beginning.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  const fields = splitFields(text.slice(0, end));
  return names.flatMap((name) => {
    const value = fieldValue(fields, name.toLowerCase());
    return value === undefined ? [] : [{ name, value: decodeWords(value).slice(0, longestValue) }];
  });
}
