/** What there is when a run begins: mailboxes with mail, annotations and rights. With empty mailboxes most acts do nothing, and nothing wrong either. */
import { annotate } from './annotation-acts.ts';
import { append } from './message-acts.ts';
import type { Player } from './player.ts';
import { grant } from './rights-acts.ts';
import type { Stage } from './stage.ts';
import { notify } from './watch-acts.ts';

/** Numbers of acts that name these. */
const named = { 'INBOX': 1, 'A': 3, 'B': 5, 'A/C': 6, 'D': 7 } as const;
/** The same to `grant`, which takes 7 for what is denied, and what gives the first guest `l` alone. */
const seenOnly = { a: 23, c: 60 } as const;
/** Numbers by which `grant` gives the first guest `r` alone, or with `l`. */
const readers = [27, 6] as const;

export async function begin(stage: Stage, owner: Player, number: number): Promise<void> {
  await furnish(stage, owner, number);
  await openToGuests(stage, owner, number);
  for (const [index, name] of (['INBOX', 'INBOX', 'A', 'B', 'A/C', 'D'] as const).entries()) if (stage.account.mailbox(name) !== undefined) await append(stage, owner, { who: 0, kind: 'append', a: named[name], b: number + index, c: 4 * (number + 37 * index) + 3 });
  for (const guest of stage.players) if (guest.home !== 'owner') await append(stage, guest, { who: 0, kind: 'append', a: 0, b: 0, c: number });
  // Of what the owner does with mailboxes and rights the guests are to hear.
  for (const [index, guest] of stage.players.entries()) if (guest.home !== 'owner' && (number + index) % 4 !== 0) await notify(stage, guest, { who: index, kind: 'notify', a: number + index, b: Math.floor(number / 7) + index, c: 0 });
  for (const a of [named.INBOX, named.A, named.D]) await annotate(stage, owner, { who: 0, kind: 'annotate', a, b: 3, c: 1 });
}

/** Most of the mailboxes that acts name are there, one of them subscribed. */
async function furnish(stage: Stage, owner: Player, number: number): Promise<void> {
  const { account } = stage;
  const wanted = ['A', 'B', 'A/C', 'D'].filter((_, index) => Math.floor(number / 4 ** index) % 4 !== 0);
  for (const name of wanted) {
    if (account.mailbox(name) === undefined) await stage.run(owner, { text: `CREATE ${name}`, status: 'OK', names: [name], then: () => { account.learnMailboxes(); } });
  }
  // Below what is not subscribed: what RECURSIVEMATCH is for.
  const deepest = 'A/C';
  if (number % 3 !== 0 && account.mailbox(deepest) !== undefined) await stage.run(owner, { text: `SUBSCRIBE ${deepest}`, status: 'OK', then: () => { account.subscriptions.add(deepest); } });
}

/** Everybody gets some right or other on INBOX, and on another mailbox if it is there: with nothing a guest can do nothing. One reads what he may not know of. */
async function openToGuests(stage: Stage, owner: Player, number: number): Promise<void> {
  for (const [index] of stage.identifiers.entries()) {
    await grant(stage, owner, { who: 0, kind: 'grant', a: named.INBOX, b: 0, c: 12 * (number + index) + index });
    await grant(stage, owner, { who: 0, kind: 'grant', a: named.A, b: 1, c: 12 * (number + index + 5) + index });
  }
  await grant(stage, owner, { who: 0, kind: 'grant', a: named['A/C'], b: 1, c: readers[number % 2] ?? 0 });
  await grant(stage, owner, { who: 0, kind: 'grant', b: 1, ...seenOnly });
}
