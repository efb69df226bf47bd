/**
 * What POP3 says before login, and of failures, in the languages of LANG (RFC 6856 section 3). Front-ends and back-ends say the same; a
 * back-end's texts on the maildrop are its own (backend/pop3/maildrop-texts.ts). Pure.
 */
import { isFailure, Failure } from '../base/failure.ts';
import type { FailureKind } from '../base/failure.ts';
import type { Catalogue, Language } from '../language/language.ts';

export interface LoginTexts {
  readonly capabilities: string;
  readonly mechanisms: string;
  readonly languages: string;
  readonly languageChanged: string;
  readonly noSuchLanguage: (tag: string) => string;
  readonly utf8: string;
  readonly tlsBeforeUtf8: string;
  readonly beginTls: string;
  readonly tlsActive: string;
  readonly tlsFirst: string;
  readonly password: string;
  readonly userFirst: string;
  readonly useAuth: string;
  readonly form: (form: string) => string;
  readonly nothingBehind: (verb: string) => string;
  readonly notUtf8: string;
  readonly forbiddenCharacters: string;
  readonly noSuchMechanism: string;
  readonly cancelled: string;
  readonly notBase64: string;
  readonly unknownCommand: string;
  readonly notBeforeLogin: (verb: string) => string;
  readonly notAfterLogin: (verb: string) => string;
  readonly tooManyErrors: string;
  readonly tooManyFailedLogins: string;
  readonly goodbye: string;
  readonly tryLater: string;
  readonly internalError: (session: string) => string;
}

export const loginTexts: Catalogue<LoginTexts> = {
  en: {
    capabilities: 'capabilities follow',
    mechanisms: 'mechanisms follow',
    languages: 'languages follow',
    languageChanged: 'now in English',
    noSuchLanguage: (tag) => `no language ${tag} here`,
    utf8: 'UTF-8 from now on',
    tlsBeforeUtf8: 'STLS comes before UTF8',
    beginTls: 'begin TLS',
    tlsActive: 'TLS is active already',
    tlsFirst: 'log in over TLS only: use STLS first, or port 995',
    password: 'now PASS',
    userFirst: 'USER comes first',
    useAuth: 'use AUTH',
    form: (form) => `the form is: ${form}`,
    nothingBehind: (verb) => `nothing may stand behind ${verb}`,
    notUtf8: 'that is not UTF-8',
    forbiddenCharacters: 'that has characters that names and passwords may not have',
    noSuchMechanism: 'no such mechanism',
    cancelled: 'authentication cancelled',
    notBase64: 'that is not base64',
    unknownCommand: 'unknown command',
    notBeforeLogin: (verb) => `${verb} is not allowed before login`,
    notAfterLogin: (verb) => `${verb} is not allowed after login`,
    tooManyErrors: 'too many errors, goodbye',
    tooManyFailedLogins: 'too many failed logins, goodbye',
    goodbye: 'goodbye',
    tryLater: '; try again later',
    internalError: (session) => `internal error, reference ${session}`,
  },
  de: {
    capabilities: 'es folgen die Fähigkeiten',
    mechanisms: 'es folgen die Verfahren',
    languages: 'es folgen die Sprachen',
    languageChanged: 'ab jetzt auf Deutsch',
    noSuchLanguage: (tag) => `die Sprache ${tag} gibt es hier nicht`,
    utf8: 'ab jetzt UTF-8',
    tlsBeforeUtf8: 'STLS kommt vor UTF8',
    beginTls: 'TLS beginnt',
    tlsActive: 'TLS ist schon aktiv',
    tlsFirst: 'Anmeldung nur über TLS: zuerst STLS, oder Port 995',
    password: 'jetzt PASS',
    userFirst: 'zuerst kommt USER',
    useAuth: 'bitte AUTH verwenden',
    form: (form) => `die Form ist: ${form}`,
    nothingBehind: (verb) => `hinter ${verb} darf nichts stehen`,
    notUtf8: 'das ist kein UTF-8',
    forbiddenCharacters: 'Namen und Passwörter dürfen solche Zeichen nicht haben',
    noSuchMechanism: 'dieses Verfahren gibt es nicht',
    cancelled: 'Anmeldung abgebrochen',
    notBase64: 'das ist kein Base64',
    unknownCommand: 'unbekannter Befehl',
    notBeforeLogin: (verb) => `${verb} ist vor der Anmeldung nicht erlaubt`,
    notAfterLogin: (verb) => `${verb} ist nach der Anmeldung nicht erlaubt`,
    tooManyErrors: 'zu viele Fehler, auf Wiedersehen',
    tooManyFailedLogins: 'zu viele misslungene Anmeldungen, auf Wiedersehen',
    goodbye: 'auf Wiedersehen',
    tryLater: '; bitte später noch einmal',
    internalError: (session) => `interner Fehler, Kennung ${session}`,
  },
};

/** A failure whose words are in the session's language already. */
export class Refusal extends Failure {}

/** Failures are worded in English where they arise; in another language the kind says it. */
const kindsInGerman: Readonly<Record<FailureKind, string>> = {
  'bad-credentials': 'Name oder Passwort falsch',
  'password-expired': 'das Passwort ist abgelaufen und muss geändert werden',
  'account-disabled': 'das Konto ist gesperrt',
  'account-locked': 'das Konto ist nach zu vielen falschen Passwörtern gesperrt',
  'service-denied': 'dieses Konto darf POP3 nicht benutzen',
  'mailbox-disabled': 'das Postfach nimmt keine Post an',
  'password-refused': 'das neue Passwort ist nicht erlaubt',
  'privacy-required': 'Anmeldung nur über TLS',
  'unknown-user': 'diesen Benutzer gibt es nicht',
  'foreign-domain': 'diese Domain gehört nicht zu uns',
  'directory-unavailable': 'das Verzeichnis antwortet nicht',
  'backend-unavailable': 'das Postfach kann jetzt nicht geöffnet werden',
  'not-kept-here': 'das Postfach liegt auf einem anderen Knoten',
  'bad-input': 'das ist so nicht zu verstehen',
  'message-too-big': 'die Nachricht ist zu groß',
  'over-quota': 'das Postfach ist voll',
  'storage-full': 'der Speicher ist voll',
  'storage-failure': 'der Speicher ist gestört',
  'mailbox-missing': 'die Nachricht oder das Postfach gibt es nicht mehr',
  'mailbox-exists': 'das Postfach gibt es schon',
  'use-refused': 'das Postfach kann diesen Zweck nicht haben',
  forbidden: 'das ist nicht erlaubt',
  limit: 'zu viele Verbindungen oder Befehle',
  'in-use': 'eine andere Sitzung hat dieses Postfach geöffnet',
  'too-soon': 'die letzte Anmeldung ist zu kurz her',
  'timed-out': 'das hat zu lange gedauert',
  'shutting-down': 'der Server hört gerade auf',
};

/** What is said of an error, without status word and code. */
export function wordsOf(error: unknown, language: Language, session: string): string {
  if (!isFailure(error)) return loginTexts[language].internalError(session);
  return language === 'en' || error instanceof Refusal ? error.message : kindsInGerman[error.kind];
}

/** Text as it goes out: UTF-8, as bytes in a latin1 string (which is what connections write). */
export function onWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
