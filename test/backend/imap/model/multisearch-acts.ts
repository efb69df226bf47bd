/** ESEARCH IN: one search in several mailboxes (RFC 7377). */
import assert from 'node:assert/strict';
import type { Act } from './acts.ts';
import type { ModelMailbox, ModelMessage } from './mailbox-model.ts';
import { alive, onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import { allRights, rightsOf } from './rights-model.ts';
import { fixedKeys, itemsOf, meant, readable } from './search-acts.ts';
import type { Key } from './search-acts.ts';
import type { Stage } from './stage.ts';

/** What the client can name, and what he may do there. */
interface Named {
  readonly name: string;
  readonly whose: 'own' | 'others';
  readonly mailbox: ModelMailbox;
  readonly rights: string;
}

/** One kind of sources, and which mailboxes it means. */
interface Source {
  readonly text: string;
  readonly means: (one: Named) => boolean;
}

const returns = [undefined, '', 'ALL', 'COUNT', 'MIN MAX', 'PARTIAL 1:2', 'PARTIAL -1:-2 COUNT', 'COUNT ALL'] as const;

function namedBy(stage: Stage, { own, address }: Player): Named[] {
  const mine = [...own.mailboxes.values()].map((mailbox): Named => ({ name: mailbox.name, whose: 'own', mailbox, rights: allRights }));
  const others = [...stage.account.mailboxes.values()].map((mailbox): Named => ({ name: `Other Users/${stage.account.address}/${mailbox.name}`, whose: 'others', mailbox, rights: rightsOf(mailbox, address) }));
  return own === stage.account ? mine : [...mine, ...others];
}

/** What is named has to be readable; what is only meant must be visible as well, lest anybody learn that it is there. */
function sourcesOf(stage: Stage, player: Player, { a, b }: Act): readonly Source[] {
  const isOwn = ({ whose }: Named): boolean => whose === 'own';
  const quoted = (number: number): string => stage.spot(player, number).text;
  const plain = (text: string): string => text.replaceAll('"', '');
  const names = [quoted(a), quoted(b)];
  const topText = quoted((b >> 4) % 2 === 0 ? a : 3); // only this one has something below it
  const top = plain(topText);
  const depthBelow = (name: string): number => (name.startsWith(`${top}/`) ? name.slice(top.length + 1).split('/').length : 0);
  const { view } = player.model;
  const { subscriptions } = player.own;
  const all: readonly Source[] = [
    { text: `mailboxes (${names.join(' ')} "Nowhere")`, means: ({ name }) => names.map(plain).includes(name) },
    { text: `mailboxes ${names[0] ?? ''}`, means: ({ name }) => name === plain(names[0] ?? '') },
    { text: `subtree ${topText}`, means: ({ name, rights }) => name === top || (depthBelow(name) > 0 && rights.includes('l')) },
    { text: `subtree-one ${topText}`, means: ({ name, rights }) => name === top || (depthBelow(name) === 1 && rights.includes('l')) },
    { text: 'personal', means: isOwn },
    { text: 'inboxes', means: (one) => isOwn(one) && one.name === 'INBOX' },
    { text: 'subscribed', means: ({ name }) => subscriptions.has(name) },
    ...(view === undefined ? [] : [{ text: 'selected', means: ({ mailbox }: Named) => mailbox === view.mailbox }]),
  ];
  const [first, second] = [all[b % all.length], all[(b >> 3) % all.length]];
  return [first, ...(a % 3 === 0 && second !== first ? [second] : [])].flatMap((one) => one ?? []);
}

/** In different ways. */
export async function searchSeveral(stage: Stage, player: Player, act: Act): Promise<void> {
  for (const factor of [1, 7, 23]) await searchOnce(stage, player, { ...act, a: act.a * factor, b: act.b * factor + factor, c: act.c * factor });
}

async function searchOnce(stage: Stage, player: Player, act: Act): Promise<void> {
  const { view } = player.model;
  const sources = sourcesOf(stage, player, act);
  const key: Key = fixedKeys[act.c % fixedKeys.length] ?? assert.fail();
  const saves = sources.length === 1 && sources[0]?.text === 'selected' && act.c % 3 === 0;
  const returned = saves ? 'SAVE COUNT' : returns[(act.c >> 3) % returns.length];
  // Of the open mailbox only what its client knows of.
  const searched = ({ mailbox }: Named): readonly ModelMessage[] => (view?.mailbox === mailbox ? alive(view, view.uids) : mailbox.messages);
  const found = namedBy(stage, player).filter((one) => one.rights.includes('r') && sources.some((source) => source.means(one))).map((one) => ({ ...one, messages: searched(one).filter(key.hits) }));
  const tag = player.nextTag;
  const { others } = await stage.run(player, { text: `ESEARCH IN (${sources.map(({ text }) => text).join(' ')})${returned === undefined ? '' : ` RETURN (${returned})`} ${key.text}`, status: 'OK' });
  if (saves && view !== undefined) view.saved = meant(found[0]?.messages ?? [], 'SAVE COUNT').map(({ uid }) => uid);
  const told = others.flatMap((one) => (one.kind === 'esearch' ? [one] : []));
  onlyKeywords(others.filter(({ kind }) => kind !== 'esearch'));
  const expected = new Map(found.filter(({ messages }) => messages.length > 0).map(({ name, mailbox, messages }) => [
    `TAG "${tag}" MAILBOX ${/[ "]/.test(name) ? `"${name}"` : name} UIDVALIDITY ${String(mailbox.uidValidity)}`, itemsWritten(itemsOf(messages, returned ?? '', ({ uid }) => uid) ?? new Map()),
  ]));
  assert.deepEqual(new Map(told.map(({ of, numbers, items }) => [of, { ...itemsWritten(items), numbers }])), new Map([...expected].map(([of, items]) => [of, { ...items, numbers: 'uid' }])));
  assert.equal(told.length, expected.size, 'each mailbox once');
}

function itemsWritten(items: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...items].map(([name, value]) => [name, readable(value)]));
}
