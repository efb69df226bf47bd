/** Which mailboxes NOTIFY and ESEARCH mean, and that it costs no more the more are named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../../shared/base/failure.ts';
import { isMeant } from '../../../shared/imap/mailbox-filter.ts';
import { parseMultisearch } from '../../../shared/imap/multisearch-arguments.ts';
import { Scanner } from '../../../shared/imap/scanner.ts';

const levels = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const own = { subscribed: false, whose: 'own' } as const;

test('A subtree is what is named and all below it, or its children alone', () => {
  fc.assert(fc.property(fc.array(levels, { maxLength: 4 }), levels, (named, name) => {
    const below = named.filter((each) => name.startsWith(`${each}/`)).map((each) => name.slice(each.length + 1));
    const names = new Set(named);
    assert.equal(isMeant({ kind: 'mailboxes', names }, { name, ...own }), names.has(name));
    assert.equal(isMeant({ kind: 'subtree', names }, { name, ...own }), names.has(name) || below.length > 0);
    assert.equal(isMeant({ kind: 'subtree-one', names }, { name, ...own }), names.has(name) || below.some((rest) => !rest.includes('/')));
  }));
});

class Counted extends Set<string> {
  asked = 0;
  override has(name: string): boolean {
    this.asked += 1;
    return super.has(name);
  }
  override [Symbol.iterator](): never {
    throw new Error('all names are looked at');
  }
  override forEach(): never {
    throw new Error('all names are looked at');
  }
}

test('Names are not looked through one by one', () => {
  const names = new Counted();
  for (let index = 0; index < 1000; index += 1) names.add(`n${String(index)}`);
  for (const kind of ['mailboxes', 'subtree', 'subtree-one'] as const) assert.equal(isMeant({ kind, names }, { name: 'x/y/z', ...own }), false);
  assert.ok(names.asked <= 6, String(names.asked));
});

test('ESEARCH names a hundred kinds of mailboxes at most', () => {
  const parse = (count: number): unknown => parseMultisearch(new Scanner(`IN (${Array.from({ length: count }, () => 'subtree a').join(' ')}) ALL`), 'utf-8');
  parse(100);
  assert.throws(() => parse(101), (error) => isFailure(error, 'bad-input'));
});
