/** What is announced before login, from what back-ends have told: the pure part. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcedCapabilities as byImap, capabilitiesInWelcome, capabilityWords } from '../../../frontend/imap-proxy/capabilities.ts';
import { intersection } from '../../../frontend/login/backend-capabilities.ts';
import { announcedCapabilities as byPop3 } from '../../../frontend/pop3-proxy/capabilities.ts';

const secure = { mechanisms: ['PLAIN'], startTls: 'no', passwordCommands: 'yes' } as const;
const clear = { mechanisms: [], startTls: 'yes', passwordCommands: 'no' } as const;

test('only what all have is left, in any spelling; of numbers the smallest', () => {
  const lists = ['IMAP4rev1 IDLE Move APPENDLIMIT=500', 'IMAP4REV1 MOVE IDLE SORT APPENDLIMIT=40', 'imap4rev1 move appendlimit=1000'].map((text) => text.split(' '));
  assert.deepEqual(intersection(lists, ['APPENDLIMIT=']), ['IMAP4rev1', 'Move', 'APPENDLIMIT=40']);
  assert.deepEqual(intersection([...lists, ['MOVE']], ['APPENDLIMIT=']), ['Move']);
  assert.deepEqual(intersection([['APPENDLIMIT=x'], ['APPENDLIMIT=1']], ['APPENDLIMIT=']), []);
  assert.deepEqual(intersection([], []), []);
});

test('IMAP: what concerns login is ours, what can not pass is left out', () => {
  const common = ['IMAP4rev1', 'SASL-IR', 'LOGIN-REFERRALS', 'MAILBOX-REFERRALS', 'UNAUTHENTICATE', 'AUTH=PLAIN', 'AUTH=GSSAPI', 'STARTTLS', 'LOGINDISABLED', 'IDLE', 'ID'];
  assert.equal(byImap(common, secure), 'IMAP4rev1 SASL-IR ID IDLE AUTH=PLAIN');
  assert.equal(byImap(common, clear), 'IMAP4rev1 SASL-IR ID IDLE STARTTLS LOGINDISABLED');
});

test('IMAP: before any back-end has answered only the least is promised', () => {
  assert.equal(byImap(undefined, secure), 'IMAP4rev1 SASL-IR ID AUTH=PLAIN');
  assert.equal(byImap(['IMAP4rev2', 'IDLE'], secure), 'IMAP4rev2 SASL-IR ID IDLE AUTH=PLAIN');
});

test('IMAP: literals that do not wait are announced as far as all back-ends take them', () => {
  const announced = (...lists: string[]): string => byImap(intersection(lists.map(capabilityWords), []), secure).replace(/.* ID ?(.*?) ?AUTH.*/, '$1');
  assert.equal(announced('IMAP4rev1 LITERAL+', 'IMAP4rev1 LITERAL+'), 'LITERAL+');
  assert.equal(announced('IMAP4rev1 LITERAL+', 'IMAP4rev1 LITERAL-'), 'LITERAL-');
  assert.equal(announced('IMAP4rev1 LITERAL+', 'IMAP4rev1'), '');
});

test('a welcome tells capabilities in its code, or does not', () => {
  assert.deepEqual(capabilitiesInWelcome('[CAPABILITY IMAP4rev1 IDLE] hello'), ['IMAP4rev1', 'IDLE']);
  assert.equal(capabilitiesInWelcome('hello'), undefined);
});

test('POP3: parameters must be the same everywhere; what would have to work before login is left out', () => {
  const common = intersection([['TOP', 'UIDL', 'EXPIRE NEVER', 'UTF8', 'SASL PLAIN', 'RESP-CODES', 'IMPLEMENTATION X'], ['UIDL', 'TOP', 'EXPIRE 30', 'UTF8', 'SASL PLAIN', 'RESP-CODES', 'IMPLEMENTATION X']], []);
  assert.deepEqual(byPop3(common, secure), ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'XCLIENT', 'USER', 'SASL PLAIN']);
  assert.deepEqual(byPop3(['TOP'], clear), ['TOP', 'AUTH-RESP-CODE', 'XCLIENT', 'STLS']);
  assert.deepEqual(byPop3(undefined, clear), ['RESP-CODES', 'AUTH-RESP-CODE', 'XCLIENT', 'STLS']);
});
