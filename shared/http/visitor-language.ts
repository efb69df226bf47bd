/** In which language a visitor of WebMail is spoken to: the entry of the user says so, else the browser, else the configuration. */
import type { IncomingMessage } from 'node:http';
import { preferredLanguage } from '../language/language.ts';
import type { Language } from '../language/language.ts';
import type { Exchange } from './http-service.ts';
import { sendJson } from './refusals.ts';

export interface LanguageChoice {
  readonly fallback: Language;
  /** Whether what the browser asks for counts. */
  readonly autodetect: 'yes' | 'no';
}

/** Asked before anybody has signed in. */
export const languagePath = '/api/language';

export function languageOfVisitor({ headers }: Pick<IncomingMessage, 'headers'>, { fallback, autodetect }: LanguageChoice): Language {
  return (autodetect === 'yes' ? preferredLanguage(headers['accept-language']) : undefined) ?? fallback;
}

export function answerLanguage({ request, response }: Pick<Exchange, 'request' | 'response'>, choice: LanguageChoice): void {
  response.setHeader('vary', 'accept-language');
  sendJson(response, 200, { language: languageOfVisitor(request, choice) });
}
