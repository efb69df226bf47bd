import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountStateOf } from '../../../shared/ldap/account-state.ts';
import { ResultError } from '../../../shared/ldap/ldap-errors.ts';

const said = (code: string): string => `80090308: LdapErr: DSID-0C090453, comment: AcceptSecurityContext error, data ${code}, v4563`;

// The codes of Windows as AD writes them; Samba's answers are looked at in test/cluster/active-directory.test.ts.
for (const [code, state] of [
  ['525', undefined], ['52e', undefined], ['52E', undefined], ['530', 'not-now'], ['531', 'not-from-here'], ['532', 'password-expired'], ['533', 'disabled'],
  ['701', 'account-expired'], ['773', 'must-change'], ['775', 'locked'], ['0', undefined], ['5320', undefined],
] as const) {
  test(`Active Directory's sub-code ${code} means ${state ?? 'no more than wrong credentials'}`, () => {
    assert.equal(accountStateOf(new ResultError(49, said(code))), state);
  });
}

test('only a refusal of credentials says anything of an account', () => {
  assert.equal(accountStateOf(new ResultError(53, said('532'))), undefined);
  assert.equal(accountStateOf(new ResultError(49, 'data 532')), undefined);
});
