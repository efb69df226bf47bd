/** SETMETADATA and GETMETADATA (RFC 5464). */
import assert from 'node:assert/strict';
import type { Act } from './acts.ts';
import { nameOf } from './acts.ts';
import type { Place } from './annotation-model.ts';
import { expectKeywords, onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Stage } from './stage.ts';

const ofMailboxes = ['/private/comment', '/shared/comment', '/private/vendor/test/a'] as const;
const ofAccount = ['/private/vendor/test/a', '/private/vendor/test/b'] as const;

/** Whose, by name; undefined: of a mailbox that is not there. */
function chosen(stage: Stage, { a }: Act): { readonly name: string; readonly place: Place | undefined; readonly entries: readonly string[] } {
  if (a % 5 === 0) return { name: '""', place: 'account', entries: ofAccount };
  return { name: nameOf(a), place: stage.account.mailbox(nameOf(a)), entries: ofMailboxes };
}

export async function annotate(stage: Stage, player: Player, act: Act): Promise<void> {
  const { name, place, entries } = chosen(stage, act);
  const count = 1 + (act.b % 2);
  const values = Array.from({ length: count }, (_, index) => ({ entry: entries[(act.b + index) % entries.length] ?? '', value: (act.c + index) % 3 === 0 ? undefined : `v${String((act.c + index) % 4)}` }));
  const said = values.map(({ entry, value }) => `${entry} ${value === undefined ? 'NIL' : `"${value}"`}`).join(' ');
  await expectKeywords(stage, player, {
    text: `SETMETADATA ${name} (${said})`, status: place === undefined ? 'NO' : 'OK',
    then: () => {
      if (place === undefined) return;
      if (place !== 'account') stage.account.apply({ mailbox: place }); // its mod-sequence goes up
      for (const { entry, value } of values) {
        stage.account.annotations.set(place, entry, value);
        player.model.annotations?.noteOwn(place, entry);
      }
    },
  });
}

export async function readAnnotations(stage: Stage, player: Player, act: Act): Promise<void> {
  const { name, place, entries } = chosen(stage, act);
  const { others } = await stage.run(player, { text: `GETMETADATA ${name} (${entries.join(' ')})`, status: place === undefined ? 'NO' : 'OK' });
  const told = others.flatMap((one) => (one.kind === 'metadata' ? [one] : []));
  onlyKeywords(others.filter(({ kind }) => kind !== 'metadata'));
  if (place === undefined) return;
  const annotations = stage.account.annotations.at(place);
  assert.deepEqual(told.map(({ values = new Map<string, string>() }) => Object.fromEntries(values)), [Object.fromEntries(entries.map((entry) => [entry, annotations.get(entry)?.value]))]);
}
