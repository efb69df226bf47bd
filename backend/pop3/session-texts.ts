/** All that a POP3 session says in words, in each language: what front-ends say too, and what is said of a maildrop. */
import type { Language } from '../../shared/language/language.ts';
import { loginTexts } from '../../shared/pop3/texts.ts';
import type { LoginTexts } from '../../shared/pop3/texts.ts';
import { maildropTexts } from './maildrop-texts.ts';
import type { MaildropTexts } from './maildrop-texts.ts';

export type SessionTexts = LoginTexts & MaildropTexts;

export const sessionTexts: Readonly<Record<Language, SessionTexts>> = {
  en: { ...loginTexts.en, ...maildropTexts.en },
  de: { ...loginTexts.de, ...maildropTexts.de },
};
