import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { createConnector } from '../../../shared/ldap/connector.ts';
import type { Connector, ConnectorOptions } from '../../../shared/ldap/connector.ts';
import { startEmbeddedDirectory } from '../../harness/embedded-directory.ts';
import { directoryLdif, keepingLog } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';

// Many who begin alike, some who begin with what no address should begin with, and some with several addresses.
const people = [
  ...Array.from({ length: 1_450 }, (_, index) => ({ name: `many${String(index)}` })),
  ...Array.from({ length: 120 }, (_, index) => ({ name: `${String.fromCodePoint(97 + (index % 26))}${String(index)}` })),
  ...['_x', '!odd', '#odd', '=odd', '{odd}', '~odd', 'Ümlaut'].map((mail, index) => ({ name: `odd${String(index)}`, mail: `${mail.replace('Ü', '"ue')}@example.com` })),
];
const several = '\ndn: uid=both,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: both\ncn: both\nsn: both\nmail: zz@example.com\nmail: many-too@example.com\n';
const ldif = `${directoryLdif(people)}${several}`;
const total = people.length + 1;

function connect(context: TestContext, uri: string, changes: Partial<ConnectorOptions> = {}): Connector {
  const connector = createConnector({ name: 'test', uris: [uri], searchBase: slapdBase.baseDn, scope: 'sub', timeoutMs: 10_000, connections: 2, log: keepingLog().log, ...changes });
  context.after(() => { connector.close(); });
  return connector;
}

async function countIn(connector: Connector): Promise<number> {
  const entries = await connector.list({ having: 'mail', base: undefined }, ['mail']);
  assert.equal(new Set(entries.map(({ dn }) => dn)).size, entries.length, 'each once');
  assert.ok(entries.every(({ attributes }) => attributes.has('mail')));
  return entries.length;
}

const service = 'dn.exact="uid=many1,ou=people,dc=example,dc=com"';
const limits: readonly (readonly [string, readonly string[]])[] = [
  ['its default limit of 500 for everything', []],
  ['a limit that pages get around', ['limits * size.soft=500 size.hard=500 size.prtotal=unlimited']],
  ['a limit of 100, pages forbidden', ['limits * size.soft=100 size.hard=100 size.prtotal=disabled']],
  ['no limit for who asks', [`limits ${service} size=unlimited`, 'limits * size=unlimited']],
];
for (const [title, database] of limits) {
  test(`slapd with ${title} tells of all ${String(total)} entries`, async (context) => {
    const slapd = await startSlapd({ ldif, more: { database } });
    context.after(slapd.stop);
    assert.equal(await countIn(connect(context, slapd.uri)), total);
  });
}

test('the embedded directory tells of all entries', async (context) => {
  const directory = await startEmbeddedDirectory({ ldif });
  context.after(directory.stop);
  assert.equal(await countIn(connect(context, directory.uri)), total);
});

test('what can\'t be told whole is a failure, never a part', async (context) => {
  // Everybody begins with the same 30 characters: no part of it fits.
  const alike = Array.from({ length: 30 }, (_, index) => ({ name: `p${String(index)}`, mail: `${'x'.repeat(30)}${String(index)}@example.com` }));
  const slapd = await startSlapd({ ldif: directoryLdif(alike), more: { database: ['limits * size=10'] } });
  context.after(slapd.stop);
  const { log, lines } = keepingLog();
  await assert.rejects(countIn(connect(context, slapd.uri, { log })), (error) => isFailure(error, 'directory-unavailable'));
  assert.ok(lines.some((line) => JSON.stringify(line).includes('fewer results')), 'the log says why');
  // cn has a substring rule, postalAddress has none that fits; it would match no part.
  const withCn = await connect(context, slapd.uri, { searchBase: 'ou=people,dc=example,dc=com' }).list({ having: 'cn', base: undefined }, ['cn']);
  assert.equal(withCn.length, 30);
});
