import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offeredMechanisms, takesPasswords } from '../../../frontend/authentication/authentication.ts';
import type { AuthPolicy } from '../../../frontend/authentication/authentication.ts';

const withCertificate = { encrypted: true, ownTls: true, certificate: 'verified' } as const;
const everything: AuthPolicy = { verifiable: ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'OAUTHBEARER', 'XOAUTH2', 'PLAIN', 'LOGIN'], plain: [], clearTextLogin: 'no' };
const ownTls = { encrypted: true, ownTls: true, certificate: 'none' } as const;
const balancersTls = { encrypted: true, ownTls: false, certificate: 'none' } as const;
const clear = { encrypted: false, ownTls: false, certificate: 'none' } as const;

test('under TLS all that can be verified is offered, with channel binding where TLS ends here', () => {
  assert.equal(offeredMechanisms(everything, ownTls).join(' '), 'SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 PLAIN LOGIN');
  assert.equal(offeredMechanisms(everything, balancersTls).join(' '), 'SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 PLAIN LOGIN');
  assert.deepEqual(offeredMechanisms({ ...everything, verifiable: ['PLAIN', 'LOGIN'] }, ownTls), ['PLAIN', 'LOGIN']);
  assert.deepEqual(offeredMechanisms({ ...everything, secure: ['SCRAM-SHA-256'] }, ownTls), ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']);
});

test('without TLS nothing is offered unless wanted, and no password or token travels unless that is allowed, too', () => {
  assert.deepEqual(offeredMechanisms(everything, clear), []);
  const wanted: AuthPolicy = { ...everything, plain: ['SCRAM-SHA-256', 'OAUTHBEARER', 'PLAIN'] };
  assert.deepEqual(offeredMechanisms(wanted, clear), ['SCRAM-SHA-256']);
  assert.deepEqual(offeredMechanisms({ ...wanted, clearTextLogin: 'yes' }, clear), ['SCRAM-SHA-256', 'OAUTHBEARER', 'PLAIN']);
});

test('commands with a password are obeyed where passwords may come', () => {
  assert.equal(takesPasswords(everything, ownTls), true);
  assert.equal(takesPasswords({ ...everything, secure: ['SCRAM-SHA-256'] }, ownTls), false);
  assert.equal(takesPasswords(everything, clear), false);
  assert.equal(takesPasswords({ ...everything, clearTextLogin: 'yes' }, clear), true);
});

test('EXTERNAL is offered to who has shown a certificate, where such logins can be asserted', () => {
  const policy: AuthPolicy = { ...everything, verifiable: ['EXTERNAL', 'PLAIN'] };
  assert.deepEqual(offeredMechanisms(policy, withCertificate), ['EXTERNAL', 'PLAIN']);
  assert.deepEqual(offeredMechanisms(policy, ownTls), ['PLAIN']);
  assert.deepEqual(offeredMechanisms(policy, balancersTls), ['PLAIN']);
  assert.deepEqual(offeredMechanisms({ ...policy, secure: ['PLAIN'] }, withCertificate), ['PLAIN']);
  assert.deepEqual(offeredMechanisms(everything, withCertificate).includes('EXTERNAL'), false);
});
