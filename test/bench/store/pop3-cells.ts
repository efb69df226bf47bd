/** POP3: whole short sessions, the list of unique ids, and reading all mail, by one session (a mailbox is open once at a time). */
import type { Cell, Furnishing, Work } from './cell.ts';
import { addressOf, parts, pop3Session } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';

export function pop3Cells(messages: number): readonly Cell[] {
  const inbox: Furnishing = { user: addressOf('solo', parts.pop3), mailbox: 'INBOX', messages };
  const all = Array.from({ length: messages }, (_, index) => `RETR ${String(index + 1)}\r\n`).join('');
  const title = (what: string): string => `POP3: ${what}, ${String(messages)} messages, one session`;
  return [
    { id: 'pop3-stat', title: title('login, STAT and QUIT'), unit: 'sessions', needs: [inbox], prepare: async (store) => shortSessions(store, inbox) },
    { id: 'pop3-uidl', title: title('UIDL'), unit: 'messages', needs: [inbox], prepare: async (store) => dotted(store, inbox, { words: 'UIDL\r\n', answers: 1 }) },
    { id: 'pop3-retr', title: title('RETR of all, pipelined'), unit: 'messages', needs: [inbox], prepare: async (store) => dotted(store, inbox, { words: all, answers: messages }) },
  ];
}

async function shortSessions(store: MailStore, { user }: Furnishing): Promise<Work> {
  return Promise.resolve({
    lanes: [async () => {
      const wire = await pop3Session(store, user);
      await wire.ask('STAT\r\n', '+OK');
      await wire.ask('QUIT\r\n', '+OK');
      wire.end();
      return 1;
    }],
    end: () => undefined,
  });
}

async function dotted(store: MailStore, { user, messages }: Furnishing, { words, answers }: { readonly words: string; readonly answers: number }): Promise<Work> {
  const wire = await pop3Session(store, user);
  return {
    lanes: [async () => {
      await wire.askDotted(words, answers);
      return messages;
    }],
    end: async () => {
      await wire.ask('QUIT\r\n', '+OK').finally(() => wire.end());
    },
  };
}
