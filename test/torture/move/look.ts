/** Everything that an IMAP client can see of the mailboxes whose names begin alike. */
import type { Cluster } from '../../harness/cluster.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import type { Found, KnownMailbox, KnownMessage } from './mailbox-model.ts';

export async function lookAt(session: ImapSession, prefix: string): Promise<Found> {
  const { untagged } = await session.ok(`LIST "" "${prefix}*"`);
  const names = untagged.flatMap(({ text }) => /"\/" "?([^"]+)"?$/.exec(text)?.[1] ?? []);
  const found = new Map<string, KnownMailbox>();
  for (const name of names.toSorted()) found.set(name, await lookAtMailbox(session, name));
  return found;
}

async function lookAtMailbox(session: ImapSession, name: string): Promise<KnownMailbox> {
  const status = (await session.ok(`STATUS ${name} (UIDVALIDITY UIDNEXT HIGHESTMODSEQ MAILBOXID)`)).untagged[0]?.text ?? '';
  const number = (key: string): number => Number(new RegExp(`${key} (\\d+)`).exec(status)?.[1]);
  await session.ok(`EXAMINE ${name}`);
  const { untagged } = await session.ok('UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODY.PEEK[HEADER.FIELDS (Subject)])');
  const messages = untagged.filter(({ text }) => / FETCH /.test(text)).map(({ text, literals }): KnownMessage => {
    const modseq = Number(/MODSEQ \((\d+)\)/.exec(text)?.[1]);
    return {
      uid: Number(/\bUID (\d+)/.exec(text)?.[1]),
      subject: /^Subject: (\S+)/.exec(literals[0]?.toString() ?? '')?.[1] ?? '',
      flags: sortedFlags(/FLAGS \(([^)]*)\)/.exec(text)?.[1] ?? ''),
      date: /INTERNALDATE "([^"]+)"/.exec(text)?.[1] ?? '',
      size: Number(/RFC822\.SIZE (\d+)/.exec(text)?.[1]),
      modseq, modseqFloor: modseq,
    };
  });
  await session.ok('UNSELECT');
  return { uidValidity: number('UIDVALIDITY'), uidNext: number('UIDNEXT'), highestModseq: number('HIGHESTMODSEQ'), mailboxId: /MAILBOXID \(([^)]+)\)/.exec(status)?.[1], messages };
}

/** Without \Recent, which is nobody's. */
export function sortedFlags(text: string): string {
  return text.split(' ').filter((flag) => flag !== '' && flag !== '\\Recent').toSorted().join(' ');
}

/** What all mailboxes of an account have, by their own counters. */
export async function useOf(cluster: Cluster, user: string): Promise<{ readonly messages: number; readonly bytes: number }> {
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user });
  try {
    const { untagged } = await session.ok('LIST "" "*" RETURN (STATUS (MESSAGES SIZE))');
    const sum = (key: string): number => untagged.reduce((all, { text }) => all + Number(new RegExp(`${key} (\\d+)`).exec(text)?.[1] ?? 0), 0);
    return { messages: sum('MESSAGES'), bytes: sum('SIZE') };
  } finally {
    session.close();
  }
}
