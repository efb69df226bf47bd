/** What is announced before login, from what back-ends have told: the pure part. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcedCapabilities as byImap, capabilitiesInWelcome, capabilityWords } from '../../../frontend/imap-proxy/capabilities.ts';
import { intersection, smallestNumber } from '../../../frontend/login/backend-capabilities.ts';
import { announcedCapabilities as byPop3, pop3Merges } from '../../../frontend/pop3-proxy/capabilities.ts';

const secure = { mechanisms: ['PLAIN'], startTls: 'no', passwordCommands: 'yes' } as const;
const clear = { mechanisms: [], startTls: 'yes', passwordCommands: 'no' } as const;

const limits = [{ prefix: 'APPENDLIMIT=', merge: smallestNumber }];

test('only what all have is left, in any spelling; of numbers the smallest', () => {
  const lists = ['IMAP4rev1 IDLE Move APPENDLIMIT=500', 'IMAP4REV1 MOVE IDLE SORT APPENDLIMIT=40', 'imap4rev1 move appendlimit=1000'].map((text) => text.split(' '));
  assert.deepEqual(intersection(lists, limits), ['IMAP4rev1', 'Move', 'APPENDLIMIT=40']);
  assert.deepEqual(intersection([...lists, ['MOVE']], limits), ['Move']);
  assert.deepEqual(intersection([['APPENDLIMIT=x'], ['APPENDLIMIT=1']], limits), []);
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

test('POP3: the strictest policy is announced, and that it is not everybody\'s', () => {
  const announced = (...lists: string[][]): readonly string[] => intersection(lists, pop3Merges);
  assert.deepEqual(announced(['TOP', 'EXPIRE NEVER'], ['EXPIRE 30', 'TOP']), ['TOP', 'EXPIRE 30 USER']);
  assert.deepEqual(announced(['EXPIRE NEVER'], ['expire never']), ['EXPIRE NEVER']);
  assert.deepEqual(announced(['EXPIRE 7'], ['EXPIRE 7'], ['EXPIRE 3 USER']), ['EXPIRE 3 USER']);
  assert.deepEqual(announced(['EXPIRE 7'], ['TOP']), [], 'who tells nothing may remove what it likes');
  assert.deepEqual(announced(['TOP'], ['TOP', 'LOGIN-DELAY 60'], ['TOP', 'LOGIN-DELAY 300']), ['TOP', 'LOGIN-DELAY 300 USER']);
  assert.deepEqual(announced(['LOGIN-DELAY 60'], ['LOGIN-DELAY 60']), ['LOGIN-DELAY 60']);
  assert.deepEqual(announced(['TOP'], ['TOP']), ['TOP']);
  assert.deepEqual(announced(['LOGIN-DELAY soon'], ['TOP']), []);
  assert.deepEqual(announced(), []);
});

test('POP3: what works before login as well is there where all back-ends go on with it; names of programs are left out', () => {
  const common = intersection([['TOP', 'UIDL', 'UTF8 USER', 'LANG', 'SASL PLAIN', 'RESP-CODES', 'IMPLEMENTATION X'], ['UIDL', 'TOP', 'UTF8 USER', 'SASL PLAIN', 'RESP-CODES', 'IMPLEMENTATION X']], pop3Merges);
  assert.deepEqual(byPop3(common, secure), ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'XCLIENT', 'UTF8 USER', 'USER', 'SASL PLAIN']);
  assert.deepEqual(byPop3(['TOP', 'LANG'], clear), ['TOP', 'AUTH-RESP-CODE', 'XCLIENT', 'LANG', 'STLS']);
  assert.deepEqual(byPop3(undefined, clear), ['RESP-CODES', 'AUTH-RESP-CODE', 'XCLIENT', 'STLS']);
});
