/** What clients of each protocol hear when Active Directory lets nobody in: from its diagnostic messages, in the forms that its versions have, to the line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replyFor as imapReply } from '../../../frontend/imap-proxy/replies.ts';
import { replyFor as pop3Reply } from '../../../frontend/pop3-proxy/replies.ts';
import { replyTo as smtpReply } from '../../../frontend/smtp-proxy/replies.ts';
import { errorAnswer } from '../../../shared/http/refusals.ts';
import { accountStateOf } from '../../../shared/ldap/account-state.ts';
import { ResultError } from '../../../shared/ldap/ldap-errors.ts';
import { createLog } from '../../../shared/log/log.ts';
import { replyLine } from '../../../shared/smtp/reply.ts';
import { barred } from '../../../shared/user-map/barred.ts';

/** As they were seen in bug reports, from Windows 2000 to 2022; AD ends them with a NUL. Only the code is put in. */
const forms = [
  'DSID-0C090334, comment: AcceptSecurityContext error, data CODE, vece',
  '80090308: LdapErr: DSID-0C09030B, comment: AcceptSecurityContext error, data CODE, v893',
  '80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data CODE, v1db1',
  '80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data CODE, v2580\0',
  '8009030C: LdapErr: DSID-0C090605, comment: AcceptSecurityContext error, data CODE, v2580\0',
  '80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data CODE, v3839',
  '80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data CODE, v4563\0',
] as const;

const cases = [
  ['530', '[CONTACTADMIN]', '525 5.7.13', 'account-disabled', 'This account may not log in at this time.'],
  ['531', '[CONTACTADMIN]', '525 5.7.13', 'account-disabled', 'This account may not log in here. Ask your administrator.'],
  ['532', '[EXPIRED]', '535 5.7.8', 'password-expired', 'The password has expired and must be changed.'],
  ['533', '[CONTACTADMIN]', '525 5.7.13', 'account-disabled', 'The account is disabled. Ask your administrator.'],
  ['701', '[CONTACTADMIN]', '525 5.7.13', 'account-disabled', 'The account has expired. Ask your administrator.'],
  ['773', '[EXPIRED]', '535 5.7.8', 'password-expired', 'The password must be changed before it can be used.'],
  ['775', '[CONTACTADMIN]', '525 5.7.13', 'account-locked', 'The account is locked after too many wrong passwords. Wait, or ask your administrator.'],
] as const;

for (const [code, imapCode, smtpCodes, kind, words] of cases) {
  test(`${code}: ${words}`, () => {
    for (const form of forms) {
      const state = accountStateOf(new ResultError(49, form.replace('CODE', code)));
      assert.ok(state !== undefined, form);
      const failure = barred(state);
      assert.equal(imapReply(failure, 's'), `NO ${imapCode} ${words}`);
      assert.equal(pop3Reply(failure, 's'), `-ERR [AUTH] ${words}`);
      assert.equal(replyLine(smtpReply(failure, { sessionId: 's', log: createLog({ node: 'test', level: 'silent' }) })), `${smtpCodes} ${words}`);
      assert.deepEqual(errorAnswer(failure, 's'), { status: 403, headers: {}, body: { error: { kind, text: words } } });
    }
  });
}

test('an unknown user and a wrong password are not told apart', () => {
  for (const form of forms) for (const code of ['525', '52e', '57']) assert.equal(accountStateOf(new ResultError(49, form.replace('CODE', code))), undefined, form);
});
