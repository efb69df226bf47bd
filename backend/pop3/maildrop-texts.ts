/** What a back-end says of a maildrop, in the languages of LANG (RFC 6856 section 3); the rest of its words is in shared/pop3/texts.ts. */
import { counted } from '../../shared/base/counted.ts';
import type { Catalogue } from '../../shared/language/language.ts';

export interface MaildropTexts {
  readonly opened: (messages: number, octets: number) => string;
  readonly count: (messages: number) => string;
  readonly octets: (octets: number) => string;
  readonly top: string;
  readonly noSuchMessage: (messages: number) => string;
  readonly isDeleted: (number: number) => string;
  readonly removedElsewhere: (number: number) => string;
  readonly deleted: (number: number) => string;
  readonly nothingDeleted: string;
  readonly nothingDone: string;
  readonly emptied: string;
  readonly left: (messages: number) => string;
  readonly goingDown: string;
  readonly moved: string;
  readonly barred: string;
  readonly away: string;
  readonly tooSlow: string;
}

export const maildropTexts: Catalogue<MaildropTexts> = {
  en: {
    opened: (messages, octets) => `maildrop has ${counted(messages, 'message')} (${counted(octets, 'octet')})`,
    count: (messages) => counted(messages, 'message'),
    octets: (octets) => counted(octets, 'octet'),
    top: 'top of message follows',
    noSuchMessage: (messages) => `no such message, there ${messages === 1 ? 'is' : 'are'} ${String(messages)}`,
    isDeleted: (number) => `message ${String(number)} is deleted`,
    removedElsewhere: (number) => `message ${String(number)} was removed by another session`,
    deleted: (number) => `message ${String(number)} deleted`,
    nothingDeleted: 'nothing is deleted',
    nothingDone: 'nothing done',
    emptied: 'goodbye, maildrop is empty',
    left: (messages) => `goodbye, ${counted(messages, 'message')} left`,
    goingDown: 'server is going down, connect again',
    moved: 'the mailbox has moved, nothing was deleted, connect again',
    barred: 'the account was disabled, nothing was deleted',
    away: 'the mailbox can not be had for the time being, nothing was deleted',
    tooSlow: 'too slow to log in',
  },
  de: {
    opened: (messages, octets) => `das Postfach hat ${nachrichten(messages)} (${oktette(octets)})`,
    count: nachrichten,
    octets: oktette,
    top: 'es folgt der Anfang der Nachricht',
    noSuchMessage: (messages) => `diese Nachricht gibt es nicht, es sind ${String(messages)}`,
    isDeleted: (number) => `Nachricht ${String(number)} ist gelöscht`,
    removedElsewhere: (number) => `Nachricht ${String(number)} hat eine andere Sitzung entfernt`,
    deleted: (number) => `Nachricht ${String(number)} gelöscht`,
    nothingDeleted: 'nichts ist gelöscht',
    nothingDone: 'nichts getan',
    emptied: 'auf Wiedersehen, das Postfach ist leer',
    left: (messages) => `auf Wiedersehen, es ${messages === 1 ? 'bleibt' : 'bleiben'} ${nachrichten(messages)}`,
    goingDown: 'der Server hört auf, bitte neu verbinden',
    moved: 'das Postfach ist umgezogen, nichts wurde gelöscht, bitte neu verbinden',
    barred: 'das Konto wurde gesperrt, nichts wurde gelöscht',
    away: 'das Postfach steht vorübergehend nicht zur Verfügung, nichts wurde gelöscht',
    tooSlow: 'die Anmeldung hat zu lange gedauert',
  },
};

function nachrichten(number: number): string {
  return counted(number, 'Nachricht', 'Nachrichten');
}

function oktette(number: number): string {
  return counted(number, 'Oktett', 'Oktette');
}
