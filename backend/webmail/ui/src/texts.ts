/** The words of WebMail in each language, and which one is spoken. */
import { computed, effect, signal } from '@preact/signals';
import type { AccountActSort } from '../../../../shared/admin-api/act-sorts.ts';
import type { Catalogue, Language } from '../../../../shared/language/language.ts';
import { writeDatesIn } from '../../../../shared/page/dates.ts';
import type { MailboxRole, PasswordAnswer } from '../../api.ts';
import { german } from './texts-german.ts';

const acts: Readonly<Record<AccountActSort, string>> = {
  made: 'made this account', password: 'set a new password', 'signed-out': 'ended your sessions', moved: 'began to move your mailbox to another server', terms: 'changed what this account may be used for',
  deleted: 'took this account out of use', undeleted: 'brought this account back', restored: 'brought mail back from a backup', renamed: 'gave this account another address', addresses: 'changed the further addresses',
  traced: 'had what your mail programs say written down, or ended that', rights: 'changed what others may do with your folders',
};
const folderNames: Partial<Readonly<Record<MailboxRole, string>>> = { inbox: 'Inbox', drafts: 'Drafts', sent: 'Sent', archive: 'Archive', junk: 'Junk', trash: 'Trash' };
const passwordDone: Readonly<Record<PasswordAnswer['otherSessions'], string>> = {
  ended: 'Your password is changed, and every other browser is signed out. Your mail programs need the new one, too.',
  'go-on': 'Your password is changed, but other browsers could not be signed out: use “Sign out everywhere”. Your mail programs need the new password, too.',
};

const english = {
  signIn: { title: 'Sign in to your mail', address: 'Mail address', password: 'Password', submit: 'Sign in', busy: 'Signing in …' },
  session: { over: 'Your session is over. Please sign in again.', signedOut: 'You are signed out.', everywhere: 'You are signed out here and in every other browser.' },
  offline: 'The server can’t be reached. Check your connection.',
  serverError: (status: string) => `The server answered with an error (${status}).`,
  wrong: 'Something went wrong.',
  /** What the server says stands as it is, where no kind is named here. */
  errors: {} as Readonly<Record<string, (said: string) => string>>,
  tryAgain: 'Try again', loading: 'Loading', loadingNow: 'Loading …', close: 'Close', cancel: 'Cancel', dismiss: 'Dismiss',
  write: 'Write', writeMessage: 'Write a message', folders: 'Folders', closeFolders: 'Close folders', settings: 'Settings', closeSettings: 'Close settings', signOut: 'Sign out',
  folderNames,
  drafts: (count: string) => `${count} drafts`, unread: (count: string) => `${count} unread`,
  list: {
    title: 'Messages', check: 'Check for new mail', search: 'Search subject or people', searchHere: 'Search in this folder', clear: 'Clear search', failed: 'The messages could not be loaded.',
    nothing: 'Nothing here.', notFound: 'Nothing found.', older: 'Show older messages',
    someUnread: (unread: string, all: string) => `${unread} of ${all} unread`, count: (count: number) => `${String(count)} message${count === 1 ? '' : 's'}`,
  },
  row: { unread: 'Unread', to: (people: string) => `To: ${people}`, draft: 'Draft', answered: 'Answered', forwarded: 'Forwarded', hasAttachments: 'Has attachments' },
  unknownSender: 'Unknown sender', noSubject: '(no subject)', to: 'To', cc: 'Cc', bcc: 'Bcc', subject: 'Subject',
  reader: {
    title: 'Message', choose: 'Choose a message to read it here.', back: 'Back to the list', isDraft: 'This is a draft.', goOn: 'Go on writing', cut: 'The text is too long to be shown whole. Download the message to read all of it.', attachments: 'Attachments',
    reply: 'Reply', replyAll: 'Reply to all', forward: 'Forward', markUnread: 'Mark as unread', star: 'Add star', unstar: 'Remove star', download: 'Download the message', delete: 'Delete', deleteForGood: 'Delete for good', move: 'Move to folder', moveTo: 'Move to …',
    remoteHidden: 'Remote images are hidden: they would tell the sender that you read this.', showRemote: 'Show remote images', text: 'Text of the message',
    deletedForGood: 'Deleted for good.', toTrash: 'Moved to Trash.', moved: (folder: string) => `Moved to ${folder}.`, badPicture: 'The picture can’t be read.',
  },
  compose: {
    newMessage: 'New message', draft: 'Draft', saveAndClose: 'Save and close', copies: 'Cc Bcc', text: 'Text', remove: (name: string) => `Remove ${name}`, send: 'Send', sending: 'Sending …', attach: 'Attach', attachFiles: 'Attach files', saving: 'Saving …', discard: 'Discard changes',
    tooBig: (size: string) => `Attachments may have ${size} at most, all together.`, sent: 'Sent.', sentNoCopy: 'Sent, but no copy could be kept in Sent.', saved: 'Saved in Drafts.', finishFirst: 'Finish or close the message you are writing first.',
    wrote: (date: string, sender: string) => `On ${date}, ${sender} wrote:`, somebody: 'somebody', forwarded: 'Forwarded message', from: 'From', date: 'Date',
  },
  password: {
    title: 'Password', present: 'Present password', next: 'New password', again: 'New password, once more', differ: 'The two new passwords are not the same.', notYet: 'Not the same yet.', change: 'Change password', changing: 'Changing …', done: passwordDone,
    strength: { none: 'Several words in a row are easy to remember and hard to guess.', short: 'Short: easy to guess.', fair: 'Fair. Fifteen or more characters are better.', good: 'Long: good.' },
  },
  elsewhere: {
    title: 'Signed in elsewhere', explanation: 'A lost phone, a borrowed computer? Sign out of WebMail in every browser, this one included. Mail programs stay signed in until the password changes.',
    everywhere: 'Sign out everywhere', busy: 'Signing out …', sure: 'Yes, sign out everywhere',
  },
  accesses: { title: 'Who has had access', explanation: 'What administrators did to your account. Nobody can strike anything from this list.', none: 'No administrator has done anything to your account.', from: (address: string) => `from ${address}`, all: (count: string) => `Show all ${count}`, acts },
};

export type Texts = typeof english;

const catalogue: Catalogue<Texts> = { en: english, de: german };

/** Told by the server: what the user's entry says, else the browser, else the configuration. */
export const language = signal<Language>('en');

export const texts = computed(() => catalogue[language.value]);

effect(() => {
  document.documentElement.lang = language.value;
  writeDatesIn(language.value);
});
