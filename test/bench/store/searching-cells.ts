/** SEARCH, SORT and THREAD of a mailbox by one session, without a text index. All servers have to find the same. */
import type { Cell, Work } from './cell.ts';
import { compareAnswer } from './hits.ts';
import { imapSession } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import type { Shelf } from './reading-cells.ts';
import { rareWord, senderWord, subjectWord } from './sample-mail.ts';

interface Question {
  readonly id: string;
  readonly command: string;
  readonly capability?: string;
}

const questions: readonly Question[] = [
  { id: 'search-flags', command: 'SEARCH FLAGGED UNSEEN' },
  { id: 'search-subject', command: `SEARCH SUBJECT ${subjectWord}` },
  { id: 'search-from', command: `SEARCH FROM ${senderWord}` },
  { id: 'search-body', command: `SEARCH BODY ${rareWord}` },
  { id: 'sort-date', command: 'SORT (DATE) US-ASCII ALL', capability: 'SORT' },
  { id: 'sort-subject', command: 'SORT (SUBJECT) US-ASCII ALL', capability: 'SORT' },
  { id: 'thread-references', command: 'THREAD REFERENCES US-ASCII ALL', capability: 'THREAD=REFERENCES' },
];

export function searchingCells({ middle }: Shelf): readonly Cell[] {
  return questions.map(({ id, command, capability }) => ({
    id, title: `${command.replace(' US-ASCII ALL', '')} in ${String(middle.messages)} messages, one session`, unit: 'answers', needs: [middle], capability,
    prepare: async (store) => asked(store, { ...middle, command }),
  }));
}

async function asked(store: MailStore, { user, mailbox, command }: { readonly user: string; readonly mailbox: string; readonly command: string }): Promise<Work> {
  const wire = await imapSession(store, user);
  await wire.ask(`s SELECT ${mailbox}\r\n`, 's OK');
  const answer = await wire.read(`f ${command}\r\n`, 'f OK');
  compareAnswer(command, store, /^\* (?:SEARCH|SORT|THREAD)[^\r]*/m.exec(answer)?.[0].trim() ?? '');
  return {
    lanes: [async () => {
      await wire.ask(`f ${command}\r\n`, 'f OK');
      return 1;
    }],
    end: () => wire.end(),
  };
}
