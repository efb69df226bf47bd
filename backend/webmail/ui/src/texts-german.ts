/** The words of WebMail in German. */
import type { Texts } from './texts.ts';

export const german: Texts = {
  signIn: { title: 'Anmeldung zu Ihrer Mail', address: 'Mailadresse', password: 'Passwort', submit: 'Anmelden', busy: 'Anmeldung läuft …' },
  session: { over: 'Ihre Sitzung ist zu Ende. Bitte melden Sie sich wieder an.', signedOut: 'Sie sind abgemeldet.', everywhere: 'Sie sind hier und in jedem anderen Browser abgemeldet.' },
  offline: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung.',
  serverError: (status) => `Der Server antwortete mit einem Fehler (${status}).`,
  wrong: 'Etwas ist schiefgegangen.',
  errors: {
    'bad-credentials': () => 'Adresse oder Passwort ist falsch.', 'password-expired': () => 'Das Passwort ist abgelaufen.', 'account-disabled': () => 'Dieses Konto ist nicht in Betrieb.', 'account-locked': () => 'Dieses Konto ist gesperrt.',
    'service-denied': () => 'Dieses Konto darf WebMail nicht verwenden.', 'signed-out': () => 'Bitte melden Sie sich an.', 'privacy-required': () => 'Melden Sie sich nur über https an.',
    'directory-unavailable': () => 'Das Verzeichnis antwortet gerade nicht. Versuchen Sie es in Kürze wieder.', 'backend-unavailable': () => 'Der Server mit Ihrem Postfach antwortet gerade nicht. Versuchen Sie es in Kürze wieder.', 'timed-out': () => 'Das hat zu lange gedauert. Versuchen Sie es in Kürze wieder.', 'shutting-down': () => 'Der Server wird gerade angehalten. Versuchen Sie es in Kürze wieder.',
    'message-missing': () => 'Diese Nachricht ist nicht mehr da.', 'mailbox-missing': () => 'Dieser Ordner ist nicht mehr da.', 'no-such-thing': () => 'Das gibt es nicht mehr.', 'message-too-big': () => 'Die Nachricht mit ihren Anhängen ist zu groß.',
    'over-quota': () => 'Ihr Postfach ist voll.', 'storage-full': () => 'Der Server hat gerade keinen Platz. Versuchen Sie es später wieder.', 'storage-failure': () => 'Der Server kann Ihr Postfach gerade nicht lesen oder schreiben.', limit: () => 'Das sind zu viele auf einmal. Versuchen Sie es in Kürze wieder.',
    'unknown-user': (said) => `Einen Empfänger gibt es nicht (${said}).`, 'bad-input': (said) => `Das wird so nicht angenommen (${said}).`, 'password-refused': (said) => `Das neue Passwort wird nicht angenommen (${said}).`, internal: (said) => `Ein Fehler im Server (${said}).`,
  },
  tryAgain: 'Noch einmal versuchen', loading: 'Wird geladen', loadingNow: 'Wird geladen …', close: 'Schließen', cancel: 'Abbrechen', dismiss: 'Ausblenden',
  write: 'Schreiben', writeMessage: 'Eine Nachricht schreiben', folders: 'Ordner', closeFolders: 'Ordner schließen', settings: 'Einstellungen', closeSettings: 'Einstellungen schließen', signOut: 'Abmelden',
  folderNames: { inbox: 'Posteingang', drafts: 'Entwürfe', sent: 'Gesendet', archive: 'Archiv', junk: 'Spam', trash: 'Papierkorb' },
  drafts: (count) => `${count} Entwürfe`, unread: (count) => `${count} ungelesen`,
  list: {
    title: 'Nachrichten', check: 'Nach neuer Mail sehen', search: 'Betreff oder Personen suchen', searchHere: 'In diesem Ordner suchen', clear: 'Suche leeren', failed: 'Die Nachrichten konnten nicht geladen werden.',
    nothing: 'Hier ist nichts.', notFound: 'Nichts gefunden.', older: 'Ältere Nachrichten zeigen',
    someUnread: (unread, all) => `${unread} von ${all} ungelesen`, count: (count) => (count === 1 ? '1 Nachricht' : `${String(count)} Nachrichten`),
  },
  row: { unread: 'Ungelesen', to: (people) => `An: ${people}`, draft: 'Entwurf', answered: 'Beantwortet', forwarded: 'Weitergeleitet', hasAttachments: 'Hat Anhänge' },
  unknownSender: 'Unbekannter Absender', noSubject: '(kein Betreff)', to: 'An', cc: 'Kopie', bcc: 'Blindkopie', subject: 'Betreff',
  reader: {
    title: 'Nachricht', choose: 'Wählen Sie eine Nachricht, um sie hier zu lesen.', back: 'Zurück zur Liste', isDraft: 'Das ist ein Entwurf.', goOn: 'Weiterschreiben', cut: 'Der Text ist zu lang, um ganz gezeigt zu werden. Laden Sie die Nachricht herunter, um alles zu lesen.', attachments: 'Anhänge',
    reply: 'Antworten', replyAll: 'Allen antworten', forward: 'Weiterleiten', markUnread: 'Als ungelesen markieren', star: 'Mit Stern versehen', unstar: 'Stern entfernen', download: 'Nachricht herunterladen', delete: 'Löschen', deleteForGood: 'Endgültig löschen', move: 'In Ordner verschieben', moveTo: 'Verschieben nach …',
    remoteHidden: 'Bilder aus dem Netz sind ausgeblendet: sie würden dem Absender verraten, dass Sie dies lesen.', showRemote: 'Bilder aus dem Netz zeigen', text: 'Text der Nachricht',
    deletedForGood: 'Endgültig gelöscht.', toTrash: 'In den Papierkorb verschoben.', moved: (folder) => `Nach ${folder} verschoben.`, badPicture: 'Das Bild kann nicht gelesen werden.',
  },
  compose: {
    newMessage: 'Neue Nachricht', draft: 'Entwurf', saveAndClose: 'Speichern und schließen', copies: 'Kopien', text: 'Text', remove: (name) => `${name} entfernen`, send: 'Senden', sending: 'Wird gesendet …', attach: 'Anhängen', attachFiles: 'Dateien anhängen', saving: 'Wird gespeichert …', discard: 'Änderungen verwerfen',
    tooBig: (size) => `Anhänge dürfen zusammen höchstens ${size} haben.`, sent: 'Gesendet.', sentNoCopy: 'Gesendet, aber unter „Gesendet“ konnte keine Kopie abgelegt werden.', saved: 'Unter „Entwürfe“ gespeichert.', finishFirst: 'Beenden oder schließen Sie zuerst die Nachricht, die Sie gerade schreiben.',
    wrote: (date, sender) => `Am ${date} schrieb ${sender}:`, somebody: 'jemand', forwarded: 'Weitergeleitete Nachricht', from: 'Von', date: 'Datum',
  },
  password: {
    title: 'Passwort', present: 'Jetziges Passwort', next: 'Neues Passwort', again: 'Neues Passwort, noch einmal', differ: 'Die beiden neuen Passwörter sind nicht gleich.', notYet: 'Noch nicht gleich.', change: 'Passwort ändern', changing: 'Wird geändert …',
    done: {
      ended: 'Ihr Passwort ist geändert, und jeder andere Browser ist abgemeldet. Auch Ihre Mailprogramme brauchen das neue.',
      'go-on': 'Ihr Passwort ist geändert, aber andere Browser konnten nicht abgemeldet werden: verwenden Sie „Überall abmelden“. Auch Ihre Mailprogramme brauchen das neue Passwort.',
    },
    strength: { none: 'Mehrere Wörter hintereinander sind leicht zu merken und schwer zu erraten.', short: 'Kurz: leicht zu erraten.', fair: 'Brauchbar. Fünfzehn oder mehr Zeichen sind besser.', good: 'Lang: gut.' },
  },
  elsewhere: {
    title: 'Anderswo angemeldet', explanation: 'Ein verlorenes Telefon, ein geliehener Computer? Melden Sie sich in jedem Browser von WebMail ab, auch in diesem. Mailprogramme bleiben angemeldet, bis das Passwort geändert wird.',
    everywhere: 'Überall abmelden', busy: 'Abmeldung läuft …', sure: 'Ja, überall abmelden',
  },
  accesses: {
    title: 'Wer Zugriff hatte', explanation: 'Was Administratoren mit Ihrem Konto getan haben. Niemand kann etwas aus dieser Liste streichen.', none: 'Kein Administrator hat etwas mit Ihrem Konto getan.', from: (address) => `von ${address}`, all: (count) => `Alle ${count} zeigen`,
    acts: {
      made: 'hat dieses Konto angelegt', password: 'hat ein neues Passwort gesetzt', 'signed-out': 'hat Ihre Sitzungen beendet', moved: 'hat begonnen, Ihr Postfach auf einen anderen Server zu verlegen', terms: 'hat geändert, wofür dieses Konto verwendet werden darf',
      deleted: 'hat dieses Konto außer Betrieb genommen', undeleted: 'hat dieses Konto zurückgeholt', restored: 'hat Post aus einer Sicherung zurückgeholt', renamed: 'hat diesem Konto eine andere Adresse gegeben', addresses: 'hat die weiteren Adressen geändert',
      traced: 'hat aufzeichnen lassen, was Ihre Mailprogramme sagen, oder das beendet', rights: 'hat geändert, was andere mit Ihren Ordnern tun dürfen',
    },
  },
};
