/** A bad configuration is refused with place and reason; nothing of it is ever taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../cluster-config/load.ts';
import { ConfigurationRefused } from '../../cluster-config/problem.ts';
import { sample, sampleFile, sampleWith } from './sample.ts';

/** The lines that say what is wrong. */
function problems(text: string): readonly string[] {
  try {
    parseConfig(text, sampleFile);
  } catch (error) {
    assert.ok(error instanceof ConfigurationRefused, String(error));
    return error.message.split('\n').map((line) => line.replace(`${sampleFile}:`, ''));
  }
  return [];
}

test('the sample itself is good', () => {
  assert.deepEqual(problems(sample), []);
});

test('an unknown key is named with its line and the nearest known one', () => {
  assert.deepEqual(problems(sampleWith('primaryDomain:', 'primaryDomian: x.example\n  primaryDomain:')), [
    '4:3: cluster.primaryDomian: unknown key "primaryDomian"; the nearest known one is "primaryDomain"',
  ]);
  assert.match(problems(sampleWith('maxErrors: 5', 'maxErors: 5'))[0] ?? '', /^32:9: nodes\.be1\.services\.imap\.maxErors: .*"maxErrors"/);
  assert.match(problems(sampleWith('bindDn: cn=reader', 'bindDN: cn=reader'))[0] ?? '', /ldapConnectors\[0\]\.bindDN: .*nearest known one is "bindDn"/);
  assert.match(problems(sampleWith('tls: implicit, trusted', 'tls: implicit, trustd'))[0] ?? '', /listeners\[1\]\.trustd: .*"trusted"/);
});

test('an unknown key in a part that no node uses is found too', () => {
  const withoutFrontends = sample.slice(0, sample.indexOf('  fe1:')) + sample.slice(sample.indexOf('  be1:'));
  assert.match(problems(withoutFrontends.replace('drainSeconds: 20', 'drainSecond: 20'))[0] ?? '', /frontends\.drainSecond: unknown key/);
  assert.match(problems(`${sample}extra: 1\n`)[0] ?? '', /^\d+:1: extra: unknown key "extra"/);
});

test('a key that belongs elsewhere is told where', () => {
  assert.match(problems(sampleWith('drainSeconds: 20', 'level: protocol'))[0] ?? '', /"log\.level" is a parameter/);
});

test('values out of bounds or of the wrong type are refused where they stand', () => {
  assert.match(problems(sampleWith('drainSeconds: 30', 'drainSeconds: 3601'))[0] ?? '', /^29:19: nodes\.be1\.drainSeconds: /);
  assert.match(problems(sampleWith('drainSeconds: 20', 'drainSeconds: yes'))[0] ?? '', /^16:17: frontends\.drainSeconds: .*expected number/);
  assert.match(problems(sampleWith('"0.0.0.0:143"', '"0.0.0.0"'))[0] ?? '', /must be IP:PORT/);
  assert.match(problems(sampleWith('"0.0.0.0:143"', '"0.0.0.0:70000"'))[0] ?? '', /must be IP:PORT/);
  assert.match(problems(sampleWith('"ldap://ldap2.example.com:389"', '"ldap://user:secret@ldap2"'))[0] ?? '', /must be ldap:/);
  assert.match(problems(sampleWith('Example.COM', 'exa mple'))[0] ?? '', /not a domain name/);
});

test('days after which read mail expires need the flag by which it is known', () => {
  const problemsWith = (pop3: string): readonly string[] => problems(sampleWith('      admin: {', `      pop3: { ${pop3} }\n      admin: {`));
  assert.match(problemsWith('expireDays: 30, retrievedIsSeen: false')[0] ?? '', /services\.pop3\.expireDays: needs services\.pop3\.retrievedIsSeen/);
  for (const good of ['expireDays: 30', 'expireDays: 0, retrievedIsSeen: false', 'retrievedIsSeen: false']) assert.deepEqual(problemsWith(good), []);
});

test('what is missing is named', () => {
  assert.match(problems(sampleWith('  primaryDomain: Example.COM\n', ''))[0] ?? '', /primaryDomain: is missing/);
  assert.match(problems(sampleWith('      searchBase: dc=example,dc=com\n', ''))[0] ?? '', /ldapConnectors\[0\]\.searchBase: is missing/);
  assert.match(problems(sampleWith('storage: { directories: [mail/one, mail/two] }', 'drainSeconds: 3'))[0] ?? '', /a back-end needs one storage/);
});

test('a secret that stands in the document is refused and not repeated in the message', () => {
  const [line = ''] = problems(sampleWith('{ file: secrets/reader }', 'hunter2'));
  assert.match(line, /given as \{file: NAME\} or \{env: NAME\}/);
  assert.doesNotMatch(line, /hunter2/);
});

test('listeners, rules and threads that can\'t be meant are refused', () => {
  const withListener = (more: string): string => problems(sampleWith('tls: implicit, trusted', `${more}, tls: implicit, trusted`))[0] ?? '';
  assert.match(withListener('denyRules: [{ ipSet: 10.0.0.9-10.0.0.1 }]'), /denyRules\[0\]\.ipSet: .*must be a set of IP addresses/);
  assert.match(withListener('allowRules: [{ ipSet: any }, { ipSet: 10.0.0.1 }, { ipSet: Any }]'), /allowRules\[2\]\.ipSet: the set "any" stands here twice/);
  assert.match(withListener('denyRules: [{ ipSet: any, peerMaxConnections: 3 }]'), /denyRules\[0\]\.peerMaxConnections: unknown key/);
  assert.match(withListener('denyRules: [{ ipSet: any, priority: -1 }]'), /denyRules\[0\]\.priority: /);
  assert.match(withListener('mode: "rw"'), /mode: must be access rights in octal/);
  assert.match(withListener('minTlsVersion: TLSv1'), /minTlsVersion: /);
  assert.match(problems(sampleWith('"0.0.0.0:143"', '"unix:relative.sock"'))[0] ?? '', /must be IP:PORT/);
  assert.match(problems(sampleWith('"0.0.0.0:143"', `"unix:/${'x'.repeat(107)}"`))[0] ?? '', /must be IP:PORT/);
  assert.match(problems(sampleWith('maxErrors: 5', 'minConnThreads: 9\n        maxConnThreads: 8'))[0] ?? '', /minConnThreads: is more than maxConnThreads/);
  assert.deepEqual(problems(sampleWith('"0.0.0.0:143"', '"unix:/run/waybill/imap.sock"')), []);
  assert.deepEqual(problems(sampleWith('"0.0.0.0:143"', '"systemd:imap"')), []);
});

test('parameters that contradict one another are refused', () => {
  assert.match(problems(sampleWith('connector: directory', 'connector: directry'))[0] ?? '', /no LDAP connector is named "directry" \(there are: directory\)/);
  assert.match(problems(sampleWith('name: moving', 'name: users'))[0] ?? '', /"users" is used twice/);
  assert.match(problems(sampleWith('tls: implicit, trusted', 'tls: starttls, trusted'))[0] ?? '', /needs tls: implicit/);
  assert.match(problems(sampleWith('key: tls/server-key.pem, ', ''))[0] ?? '', /certificate and key come together/);
  assert.match(problems(sampleWith('drainSeconds: 20', 'routing: { onMiss: default }'))[0] ?? '', /needs routing.mappingHost/);
  assert.match(problems(sampleWith('10.0.0.2:993', '10.0.0.2:143'))[0] ?? '', /10\.0\.0\.2:143 is used twice/);
  assert.match(problems(sampleWith('drainSeconds: 20', 'loopbackOnly: true'))[0] ?? '', /0\.0\.0\.0:143 could be reached from other machines/);
});

test('two nodes of one host can not have the same port', () => {
  const text = sampleWith('"0.0.0.0:143"', '"10.0.0.2:143"').replace('host: 10.0.0.1', 'host: 10.0.0.2');
  assert.match(problems(text)[0] ?? '', /10\.0\.0\.2:143 is used by fe1 too/);
});

test('a service in the layer of nodes that do not run it is refused', () => {
  assert.match(problems(sampleWith('drainSeconds: 20', 'services: { imap: { maxErrors: 3 } }'))[0] ?? '', /frontends\.services\.imap: is a service of backends only/);
});

test('broken YAML is refused with line and column: repeated keys, tabs, unknown tags, alias bombs', () => {
  assert.match(problems(`${sample}schema: 1\n`)[0] ?? '', /^37:1: .*unique/);
  assert.match(problems(sampleWith('  name: sample', '\tname: sample'))[0] ?? '', /^\d+:\d+: /);
  assert.match(problems(sampleWith('drainSeconds: 20', 'drainSeconds: !!js/function x'))[0] ?? '', /^16:17: /);
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]', ...Array.from({ length: 8 }, (_unused, index) => `a${index + 1}: &a${index + 1} [${Array(10).fill(`*a${index}`).join(', ')}]`)].join('\n');
  assert.match(problems(bomb)[0] ?? '', /alias/i);
  assert.equal(problems('').length, 1);
  assert.equal(problems('[1, 2]').length, 1);
});

test('a schema number of another time is refused', () => {
  assert.match(problems(sampleWith('schema: 1', 'schema: 2'))[0] ?? '', /^1:9: schema: /);
});

test('all problems are told at once, in the order of the document', () => {
  const text = sampleWith('drainSeconds: 20', 'drainSecond: 20').replace('maxErrors: 5', 'maxErrors: 0');
  assert.deepEqual(problems(text).map((line) => line.split(':')[0]), ['16', '32']);
});

test('a proxy names user maps that exist, and a default back-end where misses go there', () => {
  assert.match(problems(sampleWith('drainSeconds: 20', 'services: { imapProxy: { userMaps: [usres] } }'))[0] ?? '', /services\.imapProxy\.userMaps\[0\]: no user map is named "usres" \(there are: /);
  assert.match(problems(sampleWith('drainSeconds: 20', 'services: { pop3Proxy: { onMiss: default } }'))[0] ?? '', /services\.pop3Proxy\.onMiss: "default" needs mappingHost/);
  assert.deepEqual(problems(sampleWith('drainSeconds: 20', 'services: { pop3Proxy: { onMiss: default, mappingHost: old.example.net, mappingPort: 1995 } }')), []);
});
