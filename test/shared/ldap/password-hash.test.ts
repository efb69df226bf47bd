import assert from 'node:assert/strict';
import { createHash, pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { hash as hashArgon2 } from '@node-rs/argon2';
import { hash as hashBcrypt } from 'bcryptjs';
import fc from 'fast-check';
import { encrypt as unixCrypt } from 'unixcrypt';
import { hashPassword, isHashed, verifyPassword } from '../../../shared/ldap/password-hash.ts';

const password = 'pässword 1';
const digest = (name: string, salt = ''): string => Buffer.concat([createHash(name).update(password).update(salt).digest(), Buffer.from(salt)]).toString('base64');
const adapted = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '.').replace(/=+$/, '');
const pbkdf2 = (bytes: number, name: string): string => `1000$${adapted(Buffer.from('salz'))}$${adapted(pbkdf2Sync(password, 'salz', 1000, bytes, name))}`;

const stored: Readonly<Record<string, string>> = {
  'clear text': password,
  CLEARTEXT: `{CLEARTEXT}${password}`,
  SHA: `{SHA}${digest('sha1')}`,
  SSHA: `{SSHA}${digest('sha1', 'salz')}`,
  SSHA256: `{SSHA256}${digest('sha256', 'salzsalz')}`,
  SSHA512: `{ssha512}${digest('sha512', 'salz')}`,
  'CRYPT bcrypt': `{CRYPT}${await hashBcrypt(password, 4)}`,
  'CRYPT $5$': `{CRYPT}${unixCrypt(password, '$5$rounds=1000$saltsalt')}`,
  'CRYPT $6$': `{CRYPT}${unixCrypt(password, '$6$saltsalt')}`,
  ARGON2: `{ARGON2}${await hashArgon2(password, { memoryCost: 1024 })}`,
  PBKDF2: `{PBKDF2}${pbkdf2(20, 'sha1')}`,
  'PBKDF2-SHA256': `{PBKDF2-SHA256}${pbkdf2(32, 'sha256')}`,
  'PBKDF2-SHA512': `{PBKDF2-SHA512}${pbkdf2(64, 'sha512')}`,
};

for (const [scheme, value] of Object.entries(stored)) {
  test(`${scheme}: the right password matches, others don't`, async () => {
    assert.equal(await verifyPassword(value, password), 'match');
    assert.equal(await verifyPassword(value, 'password 1'), 'mismatch');
    assert.equal(await verifyPassword(value, ''), 'mismatch');
  });
}

/** Of the password above: made by slappasswd (with pw-sha2, argon2 and pw-pbkdf2), openssl passwd, doveadm pw and Python's crypt. */
const vectors: Readonly<Record<string, string>> = {
  'slappasswd SSHA': '{SSHA}5nN0UFF/Kcur6Tp8kaZnLO9sEnZB2Gdn',
  'slappasswd SHA': '{SHA}wBFJYYjnh5eS5Eft5JORpd7Gkko=',
  'slappasswd SMD5': '{SMD5}FlKmozLaE+nWe0tNPEZan6YqEoQ=',
  'slappasswd MD5': '{MD5}7goPoJ33weEME8J5Khxfug==',
  'slappasswd SSHA256': '{SSHA256}MG4H4oDeVjCtTjx/NCI1418KKrGpIgrWBDINgg1xdzpdivWLZz17bA==',
  'slappasswd SSHA512': '{SSHA512}ni8f/GavXx0PpJEnCCTsKW0ngrPMqa1lk7wwRtkruGgStXaVRKHrr1e1jDzrw+1JEQciS7U1vallf8pwmANCw+lMoCl7u/9p',
  'slappasswd SHA256': '{SHA256}f7RERuWhObO3oHciFhtpNCnGhD0FNBL7CyE3AkK4vbA=',
  'slappasswd SHA512': '{SHA512}CKWQ1bFe+6HuV0fkV78KrhRH5bOjFVbkHBnd8vTWw2lc3YVFx8X2I6wtGQoVpZVuVsftC++RLO5GPIvd7H4Lyg==',
  'slappasswd ARGON2': '{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$m76WO0X6f22KVKcVVm26/A$RM5cJLzFR79aPM1XyVM9X04jQWyNHHVyChStEv2AMCQ',
  'slappasswd PBKDF2': '{PBKDF2}10000$2IPx6MNibypLAoumD.eN.g$wiT8N/gIPcNS22ij9lg07elgH.o',
  'slappasswd PBKDF2-SHA256': '{PBKDF2-SHA256}10000$lKLJvxAY7b1V.EJSge2ygQ$6l8FsEEKzoWiVh5C3LFQqC15.Cg6FmeOYAKizYNtVZI',
  'slappasswd PBKDF2-SHA512': '{PBKDF2-SHA512}10000$pUTqgYXWC6fBiey8goiKbg$CfqV8tJUmX0Bnuaa9joy6OfOzAj.bDoNm8mNnFY8.74PkVsyPef/JfxwkwBlM8MuxuQIq/mlaGT/0ZAcp7ymgw',
  'slappasswd CRYPT': '{CRYPT}$6$zdcxVULI$kzCqEA5.36BUg/U4StqLT6.Q/h3vjRiNsEQt80yK4/BC8/jCiYLDZwKKcvaxo58gk4w7YQyLKqWkIyFf4RvBI0',
  'openssl -1': '{CRYPT}$1$saltsalt$2f.bWx.H.UmlFhfc8jBL/.',
  'openssl -5': '{CRYPT}$5$saltsalt$GVAGSUsFUrum9.R3Pfglrqcc1ZXCFRxI4cK2nn./iS2',
  'openssl -6': '{CRYPT}$6$saltsalt$P/L1.zID2Yy0s.HSEXYSE/fTbYaOU8qJd.0o4XGXJqh3ZLVakoYtS2qfcNjtLD2IzQzzTagYfC7LvCdpWXLBU1',
  'crypt(3) with rounds': '{CRYPT}$6$rounds=10000$saltsalt$6IFlE4qnu5mzstGoP4E/TuAYRPP54mNAK/1GMYjmG.3447LxbPvLga2DlR3f.OholNFPrmWNSARHIOz7fWGVD/',
  'crypt(3) with the fewest rounds': '{CRYPT}$5$rounds=1000$saltsalt$lhAEjhvxHXt71TRsBd49WsSgF29gEJdwJAoWwQtnQAA',
  'crypt(3) bcrypt': '{CRYPT}$2b$04$abcdefghijklmnopqrstuu6M4AonsBSlaSmLjwpr7Te.9CyLp4qpK',
  'doveadm BLF-CRYPT': '{BLF-CRYPT}$2y$05$aeOPWvAb415eqrbKI.cSnefu4eIZudXEAiI26gwI1Lx49XYGgSsNm',
  'doveadm SHA256-CRYPT': '{SHA256-CRYPT}$5$sL2dgrh/vQoyXJZL$DC9FHaumTB/fmRhQBpZ.Ei3zv3cAGmXScCBfYiHqqd3',
  'doveadm SHA512-CRYPT': '{SHA512-CRYPT}$6$fSLAITMXhpvp6TTV$OcAgqalT0mIEXEfBz8/bEROo1aNA4xkUIV2HsX6G8d6iEDOx3QrSNzSu8rjTO29E3.Q9Tt9y4JhV2EULdT5Pt1',
  'doveadm MD5-CRYPT': '{MD5-CRYPT}$1$GGpBW62L$dmH5uG1jcva3L/ZB0ByG5.',
  'doveadm ARGON2ID': '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$KHRqwSx0cSVHNo92RM/YAQ$KQaucmc1tyxR1bv0Q8drP8CcmPLepYhlz1YNq/njROI',
  'doveadm ARGON2I': '{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$B+7N3Uyu5HVOUre6s8fX4Q$WvlNyDq/R8jxnZMbLpita5OX9fpRY7kzV4UoQUWZb5o',
  'doveadm SSHA512': '{SSHA512}eyToZ6taTVije7qqZ27+5QYahnd7idzk24JpD5joQKrQxddK65MfStc+v8X30rlHJZFqxut3KszLwHaQ8WaLc7lfWQ4=',
  'doveadm CLEAR': '{CLEAR}pässword 1',
  'doveadm PLAIN': '{PLAIN}pässword 1',
};

for (const [maker, value] of Object.entries(vectors)) {
  test(`a value made by ${maker} matches its password and no other`, async () => {
    assert.equal(await verifyPassword(value, password), 'match');
    for (const other of ['pässword 2', 'password 1', 'pässword 1 ', 'p']) assert.equal(await verifyPassword(value, other), 'mismatch');
  });
}

test('crypt(3) with MD5 takes passwords longer than a digest', async () => {
  assert.equal(await verifyPassword('{CRYPT}$1$abcdefgh$qZQJZIj/wBFysso0hpBg61', 'x'.repeat(70)), 'match');
});

test('a hash that would cost too much is not computed', async () => {
  const tail = 'P/L1.zID2Yy0s.HSEXYSE/fTbYaOU8qJd.0o4XGXJqh3ZLVakoYtS2qfcNjtLD2IzQzzTagYfC7LvCdpWXLBU1';
  const base64 = (bytes: number): string => Buffer.alloc(bytes, 1).toString('base64').replace(/=+$/, '');
  const dear = [
    '{CRYPT}$2b$31$abcdefghijklmnopqrstuu6M4AonsBSlaSmLjwpr7Te.9CyLp4qpK', '{CRYPT}$2b$16$abcdefghijklmnopqrstuu6M4AonsBSlaSmLjwpr7Te.9CyLp4qpK',
    `{CRYPT}$6$rounds=999999999$saltsalt$${tail}`, `{SHA512-CRYPT}$6$rounds=1000001$saltsalt$${tail}`,
    `{ARGON2}$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$${base64(32)}`, `{ARGON2}$argon2id$v=19$m=65536,t=900000,p=1$c2FsdHNhbHQ$${base64(32)}`,
    `{ARGON2}$argon2id$v=19$m=65536,t=1,p=4096$c2FsdHNhbHQ$${base64(32)}`,
    `{PBKDF2}999999999$c2FsdA$${base64(20)}`, `{PBKDF2-SHA512}2000001$c2FsdA$${base64(64)}`,
  ];
  const began = performance.now();
  for (const value of dear) assert.equal(await verifyPassword(value, password), 'unsupported', value);
  assert.ok(performance.now() - began < 1000);
  for (const value of [`{PBKDF2}1000$c2FsdA$${base64(100_000)}`, '{PBKDF2}1000$c2FsdA$']) assert.equal(await verifyPassword(value, password), 'mismatch', 'a length of its own choice');
});

test('the event loop goes on while slow hashes are computed', async () => {
  const slow = '{CRYPT}$2b$12$abcdefghijklmnopqrstuu6M4AonsBSlaSmLjwpr7Te.9CyLp4qpK';
  let ticks = 0;
  const timer = setInterval(() => { ticks += 1; }, 5);
  const began = performance.now();
  assert.deepEqual(await Promise.all([verifyPassword(slow, 'a'), verifyPassword(slow, 'b'), verifyPassword(slow, 'c')]), ['mismatch', 'mismatch', 'mismatch']);
  const tookMs = performance.now() - began;
  clearInterval(timer);
  assert.ok(ticks > tookMs / 5 / 10, `${String(ticks)} ticks in ${String(tookMs)} ms`);
});

test('values as slappasswd makes them match', async () => {
  assert.equal(await verifyPassword('{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3', 'secret'), 'match');
  assert.equal(await verifyPassword('{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'secret'), 'match');
});

test('unknown schemes never match, and broken values of known ones neither', async () => {
  for (const value of ['{X-UNKNOWN}secret', '{CRYPT}$1$abc$def', '{X-CRYPT}$1$abc$def', '{CRYPT}$6$', '{CRYPT}secret', '{CRYPT}$y$j9T$x$y']) assert.equal(await verifyPassword(value, 'secret'), 'unsupported', value);
  for (const value of ['{SSHA}', '{SSHA}!!', '{ARGON2}x', '{PBKDF2}0$$', '{PBKDF2}1$$', '{PBKDF2-SHA256}', '{SHA}c2VjcmV0', '']) {
    assert.equal(await verifyPassword(value, 'secret'), 'mismatch', value);
  }
});

test('a new value matches its password only, and no two are the same', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1 }), async (right, other) => {
    const value = hashPassword(right);
    assert.ok(isHashed(value));
    assert.notEqual(value, hashPassword(right));
    assert.equal(await verifyPassword(value, right), 'match');
    if (other !== right) assert.equal(await verifyPassword(value, other), 'mismatch');
  }), { numRuns: 50 });
});
