/** The words of delivery reports. Subjects are ASCII, so that they need no encoding. */
import type { Catalogue } from '../../shared/language/language.ts';
import type { ReportAction } from './report.ts';

interface DeliveryTexts {
  readonly subjects: Readonly<Record<ReportAction, string>>;
  /** Lines of 78 characters at most. */
  readonly openings: Readonly<Record<ReportAction, string>>;
  readonly system: (host: string) => string;
  readonly said: (server: string) => string;
  readonly until: (date: string) => string;
}

export const deliveryTexts: Catalogue<DeliveryTexts> = {
  en: {
    subjects: {
      failed: 'Undelivered mail returned to sender', delayed: 'Delayed mail: still being retried',
      delivered: 'Mail was delivered', relayed: 'Mail was passed on', expanded: 'Mail was passed on to several people',
    },
    openings: {
      failed: 'Your message could not be delivered to the recipients below. It will not be tried again.',
      delayed: 'Your message could not be delivered yet to the recipients below. You need not send it\r\nagain: delivery goes on being tried.',
      delivered: 'Your message was delivered to the recipients below.',
      relayed: 'Your message was passed on for the recipients below, to a server that sends no\r\nreports of delivery.',
      expanded: 'Your message was accepted for the recipients below, each of which stands for several people.\r\nIt goes on to them; their reading or getting it is not reported one by one.',
    },
    system: (host) => `This is the mail system at ${host}.`,
    said: (server) => `${server} said: `,
    until: (date) => `It is tried until ${date}.`,
  },
  de: {
    subjects: {
      failed: 'Ihre Nachricht wurde nicht zugestellt', delayed: 'Noch nicht zugestellt: es wird weiter versucht',
      delivered: 'Ihre Nachricht wurde zugestellt', relayed: 'Ihre Nachricht wurde weitergegeben', expanded: 'Ihre Nachricht ging an mehrere Personen weiter',
    },
    openings: {
      failed: 'Ihre Nachricht konnte den unten genannten Empfängern nicht zugestellt werden.\r\nEs wird nicht noch einmal versucht.',
      delayed: 'Ihre Nachricht konnte den unten genannten Empfängern noch nicht zugestellt werden.\r\nSie müssen sie nicht noch einmal senden: die Zustellung wird weiter versucht.',
      delivered: 'Ihre Nachricht wurde den unten genannten Empfängern zugestellt.',
      relayed: 'Ihre Nachricht wurde für die unten genannten Empfänger an einen Server weitergegeben,\r\nder keine Zustellberichte sendet.',
      expanded: 'Ihre Nachricht wurde für die unten genannten Empfänger angenommen, die jeweils für mehrere\r\nPersonen stehen. Sie geht an diese weiter; ob diese sie bekommen, wird nicht einzeln gemeldet.',
    },
    system: (host) => `Hier ist das Mailsystem von ${host}.`,
    said: (server) => `${server} meldete: `,
    until: (date) => `Es wird versucht bis ${date}.`,
  },
};
