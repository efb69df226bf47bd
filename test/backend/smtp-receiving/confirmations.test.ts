/** What a session was told, and how it is settled when the session ends: before, at, and after that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Confirmations } from '../../../backend/smtp-receiving/confirmations.ts';

function session(): { readonly confirmations: Confirmations; readonly settled: string[]; readonly tell: (name: string) => void } {
  const settled: string[] = [];
  const confirmations = new Confirmations();
  return { confirmations, settled, tell: (name) => confirmations.add((confirmation) => settled.push(`${name} ${confirmation}`)) };
}

test('what the client went on after is confirmed; the last reply before a cut is not', () => {
  const { confirmations, settled, tell } = session();
  tell('first');
  confirmations.confirm();
  tell('second');
  confirmations.end('cut');
  assert.deepEqual(settled, ['first confirmed', 'second loose']);
});

test('QUIT confirms', () => {
  const { confirmations, settled, tell } = session();
  tell('only');
  confirmations.end('quit');
  assert.deepEqual(settled, ['only confirmed']);
});

test('a message that is stored when its session is over already was told to nobody', () => {
  const { confirmations, settled, tell } = session();
  confirmations.end('cut');
  tell('late');
  assert.deepEqual(settled, ['late loose']);
});
