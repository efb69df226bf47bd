/** The command LANG (RFC 6856 section 3): which languages there are, and which of them a session speaks. Pure. */
import { languages, spokenLanguage } from '../language/language.ts';
import type { Language } from '../language/language.ts';
import type { LoginTexts } from './texts.ts';

/** RFC 5646 tags with the language's name for itself (RFC 6856 section 3.2). */
const ownNames: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

/** The lines of the listing. */
export const languageListing: readonly string[] = languages.map((language) => `${language} ${ownNames[language]}`);

/** The language of a range: `de-AT` finds `de` (RFC 4647 section 3.4); `*` is what the administrator prefers. Undefined when it is not spoken here. */
export function languageOfRange(range: string, preferred: Language): Language | undefined {
  if (range === '*') return preferred;
  return isRange(range) ? spokenLanguage(range) : undefined;
}

/** Why LANG found none by that argument: it is no range, such as two of them, or one that nobody here speaks. */
export function languageRefused(argument: string, texts: Pick<LoginTexts, 'noSuchLanguage' | 'form'>): string {
  return isRange(argument) ? texts.noSuchLanguage(argument.slice(0, 40)) : texts.form('LANG [language]');
}

/** RFC 4647 section 2.1. */
function isRange(text: string): boolean {
  return /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}$/.test(text);
}
