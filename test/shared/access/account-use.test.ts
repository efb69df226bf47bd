/** What an account may be used for: server, domain and account all have to allow it. A table of cases, and what a directory's values mean. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { accountServices, commonServices, requireUse } from '../../../shared/access/account-use.ts';
import type { AccountService, UseTerms } from '../../../shared/access/account-use.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { termsIn } from '../../../shared/user-map/entry-terms.ts';

function said(service: AccountService, levels: readonly UseTerms[]): string {
  try {
    requireUse(service, levels);
    return 'allowed';
  } catch (error) {
    return isFailure(error) ? error.kind : 'fault';
  }
}

const mailOnly: UseTerms = { services: ['smtp', 'imap'] };
const cases: readonly (readonly [levels: readonly UseTerms[], service: AccountService, outcome: string])[] = [
  [[], 'imap', 'allowed'],
  [[{}, {}, { status: 'active' }], 'smtp', 'allowed'],
  [[mailOnly, {}], 'imap', 'allowed'],
  [[mailOnly, {}], 'pop3', 'service-denied'],
  [[{}, mailOnly], 'pop3', 'service-denied'],
  [[{ services: ['pop3', 'imap'] }, { services: ['pop3'] }, { services: ['imap', 'pop3'] }], 'pop3', 'allowed'],
  [[{ services: ['pop3', 'imap'] }, { services: ['pop3'] }, { services: ['imap', 'pop3'] }], 'imap', 'service-denied'],
  [[{ services: [] }], 'webmail', 'service-denied'],
  [[{ services: ['imap'] }], 'smtp', 'mailbox-disabled'],
  [[{ services: ['imap'] }], 'relay', 'service-denied'],
  [[{ status: 'noaccess' }], 'imap', 'account-disabled'],
  [[{ status: 'noaccess' }], 'smtp', 'allowed'],
  [[{}, { status: 'disabled' }], 'submission', 'account-disabled'],
  [[{}, { status: 'disabled' }], 'smtp', 'mailbox-disabled'],
  [[{ status: 'noaccess' }, { status: 'active' }], 'webmail', 'account-disabled'],
  [[{ status: 'deleted' }, mailOnly], 'imap', 'account-disabled'],
  [[{ status: 'deleted' }], 'smtp', 'unknown-user'],
];

test('an account may be used for what all who have a say allow', () => {
  for (const [levels, service, outcome] of cases) assert.equal(said(service, levels), outcome, `${service} with ${JSON.stringify(levels)}`);
});

test('the common services are those of all, in their own order', () => {
  assert.deepEqual(commonServices([]), accountServices);
  assert.deepEqual(commonServices([{ services: ['relay', 'imap', 'smtp'] }, {}, { services: ['imap', 'relay'] }]), ['imap', 'relay']);
});

test('what a directory says: letter case aside; a status nobody knows bars, a service nobody knows is another program\'s', () => {
  assert.deepEqual(termsIn({ status: [], services: [] }), { status: undefined, services: undefined });
  assert.deepEqual(termsIn({ status: [' Disabled '], services: ['IMAP', 'jabber', 'smtp'] }), { status: 'disabled', services: ['imap', 'smtp'] });
  assert.deepEqual(termsIn({ status: ['suspended?'], services: ['jabber'] }), { status: 'noaccess', services: [] });
});
