/** The files for administrators of OpenLDAP in docs/directory/openldap, loaded in the order that the page gives them, and what they are for tried out. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Publication } from '../../cluster-config/publishing/publication.ts';
import { publish } from '../../cluster-config/publishing/publisher.ts';
import { createConnector } from '../../shared/ldap/connector.ts';
import type { Connector } from '../../shared/ldap/connector.ts';
import { createUserMaps, standardAttributeNames } from '../../shared/user-map/user-maps.ts';
import { bootstrapFolder } from '../harness/bootstrap-folder.ts';
import { runTool } from '../harness/ldap-utils.ts';
import type { Tool } from '../harness/ldap-utils.ts';
import { eventually, keepingLog } from '../harness/people.ts';
import { slapdBase, slapdConfigAdmin, startSlapd } from '../harness/slapd.ts';
import type { Slapd } from '../harness/slapd.ts';

const folder = path.resolve(import.meta.dirname, '..', '..', 'docs', 'directory', 'openldap');
const admin = [slapdBase.adminDn, slapdBase.adminPassword] as const;
const reader = ['cn=waybill,dc=example,dc=com', 'change-me-reader'] as const;
const writer = ['cn=waybill-write,dc=example,dc=com', 'change-me-writer'] as const;
const { log } = keepingLog();
/** As Debian installs it: without misc. */
const asInstalled = { ldif: '', liveConfiguration: 'yes', schemas: ['core', 'cosine', 'inetorgperson'] } as const;

type Identity = readonly [dn: string, password: string];

async function load(slapd: Slapd, tool: Tool, { as, file, change = (text) => text }: { readonly as: Identity; readonly file: string; readonly change?: (text: string) => string }): Promise<void> {
  const input = change(await fs.readFile(path.resolve(folder, file), 'utf8'));
  const { code, complaint } = await runTool(tool, { uri: slapd.uri, as, input });
  assert.equal(code, 0, `${file}: ${complaint}`);
}

async function installed(context: TestContext): Promise<Slapd> {
  const slapd = await startSlapd(asInstalled);
  context.after(slapd.stop);
  await load(slapd, 'ldapadd', { as: slapdConfigAdmin, file: '/etc/ldap/schema/misc.ldif' });
  await load(slapd, 'ldapadd', { as: slapdConfigAdmin, file: 'waybill-schema.ldif' });
  await load(slapd, 'ldapadd', { as: admin, file: 'example.ldif' });
  await load(slapd, 'ldapmodify', { as: slapdConfigAdmin, file: 'acl.ldif' });
  await load(slapd, 'ldapmodify', { as: slapdConfigAdmin, file: 'indexes.ldif' });
  return slapd;
}

function connect(context: TestContext, slapd: Slapd, [bindDn, bindPassword]: Identity = reader): Connector {
  const connector = createConnector({ name: 'test', uris: [slapd.uri], bindDn, bindPassword, searchBase: slapdBase.baseDn, scope: 'sub', timeoutMs: 2_000, connections: 1, log });
  context.after(() => { connector.close(); });
  return connector;
}

const standard = { kind: 'ldapBind', name: 'users', searchPattern: '(|(mail=%e)(mailLocalAddress=%e))', attributes: standardAttributeNames, onSeveral: 'refuse' } as const;
const groups = { searchPattern: '(mail=%e)', objectClasses: ['groupOfNames'], memberAttribute: 'member' } as const;

test('the example suffix: the reader finds users and groups, users log in', async (context) => {
  const slapd = await installed(context);
  const maps = createUserMaps({ maps: [{ ...standard, connector: connect(context, slapd), groups }], log });
  const alice = await maps.lookUp('a.example@example.com');
  assert.ok(alice !== undefined);
  assert.deepEqual([alice.address, alice.mailHost], ['alice@example.com', 'be1']);
  assert.equal(await maps.authenticate(alice, 'change-me-alice'), 'ok');
  const team = await maps.lookUp('team@example.com');
  assert.ok(team !== undefined);
  assert.deepEqual(await maps.expand(team), { kind: 'addresses', addresses: ['alice@example.com', 'bob@example.net'], members: ['alice@example.com', 'bob@example.com'] });
});

test('the access rules: strangers see nothing, the reader no passwords, the writer changes hosts and passwords only', async (context) => {
  const slapd = await installed(context);
  const see = async (as?: Identity): Promise<string> => (await runTool('ldapsearch', { uri: slapd.uri, as, parameters: ['-LLL', '-b', slapdBase.baseDn, '(uid=alice)', 'mail', 'mailHost', 'userPassword'] })).output;
  assert.equal(await see(), '');
  assert.match(await see(reader), /mailHost: be1/);
  assert.doesNotMatch(await see(reader), /userPassword/);
  const change = async (as: Identity, attribute: string): Promise<number> => (await runTool('ldapmodify', { uri: slapd.uri, as, input: `dn: uid=alice,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: ${attribute}\n${attribute}: new\n` })).code;
  assert.deepEqual([await change(reader, 'mailHost'), await change(writer, 'sn'), await change(writer, 'mailHost')], [50, 50, 0]);
  const alice: Identity = ['uid=alice,ou=people,dc=example,dc=com', 'change-me-alice'];
  assert.equal((await runTool('ldappasswd', { uri: slapd.uri, as: alice, parameters: ['-a', alice[1], '-s', 'own-new'] })).code, 0);
  assert.equal((await runTool('ldappasswd', { uri: slapd.uri, as: writer, parameters: ['-s', 'set-new', alice[0]] })).code, 0);
  assert.equal((await runTool('ldapwhoami', { uri: slapd.uri, as: [alice[0], 'set-new'] })).code, 0);
  assert.equal((await runTool('ldapwhoami', { uri: slapd.uri, as: reader })).code, 0);
  await load(slapd, 'ldapmodify', { as: slapdConfigAdmin, file: 'password-reader.ldif' });
  assert.match(await see(reader), /userPassword/);
  assert.equal(await see(), '');
});

test('the reader lists more than the default size limit at once', async (context) => {
  const slapd = await installed(context);
  const many = Array.from({ length: 600 }, (_, index) => `dn: cn=c${String(index)},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: c\nsn: c\nmail: c${String(index)}@example.com\n\n`);
  const { code, complaint } = await runTool('ldapadd', { uri: slapd.uri, as: admin, input: many.join('') });
  assert.equal(code, 0, complaint);
  const { output } = await runTool('ldapsearch', { uri: slapd.uri, as: reader, parameters: ['-LLL', '-b', slapdBase.baseDn, '(mail=c*)', '1.1'] });
  assert.equal(output.match(/^dn: /gm)?.length, 600);
});

test('the day-by-day changes are applied by the writer', async (context) => {
  const slapd = await installed(context);
  await load(slapd, 'ldapmodify', { as: writer, file: 'changes.ldif' });
  const { output } = await runTool('ldapsearch', { uri: slapd.uri, as: reader, parameters: ['-LLL', '-b', slapdBase.baseDn, '(mailHost=be2)', '1.1'] });
  assert.deepEqual(output.match(/uid=\w+/g)?.toSorted(), ['uid=alice', 'uid=bob']);
});

test('our own schema, for cn=config and for slapd.conf, with the same attributes', async (context) => {
  const live = await installed(context);
  const file = await startSlapd({ ldif: '', schemas: ['core', 'cosine', 'inetorgperson', 'misc', path.join(folder, 'waybill.schema').replace(/\.schema$/, '')] });
  context.after(file.stop);
  await load(file, 'ldapadd', { as: admin, file: 'example.ldif' });
  const own = { ...standardAttributeNames, mailHost: 'waybillHost', mailLocalAddress: 'waybillAlias', mailRoutingAddress: 'waybillRoutingAddress' };
  for (const slapd of [live, file]) {
    await load(slapd, 'ldapadd', { as: admin, file: 'waybill-user.ldif' });
    const maps = createUserMaps({ maps: [{ ...standard, searchPattern: '(|(mail=%e)(waybillAlias=%e))', attributes: own, connector: connect(context, slapd), groups }], log });
    const carol = await maps.lookUp('C.Example@example.com');
    assert.deepEqual([carol?.address, carol?.mailHost], ['carol@example.com', 'be2']);
    const staff = await maps.lookUp('staff@example.com');
    assert.ok(staff?.group !== undefined);
    assert.deepEqual(await maps.expand(staff), { kind: 'addresses', addresses: ['carol@example.com'] });
  }
  assert.equal(await definitions(live), await definitions(file));
});

test('the published configuration: its publisher writes it and nothing else, nodes read it, users see nothing of it', async (context) => {
  const slapd = await installed(context);
  await load(slapd, 'ldapmodify', { as: slapdConfigAdmin, file: 'configuration-acl.ldif' });
  await load(slapd, 'ldapadd', { as: admin, file: 'configuration-publisher.ldif' });
  const entry = 'cn=waybill-configuration,dc=example,dc=com';
  const publisher = ['cn=waybill-config,dc=example,dc=com', 'change-me-publisher'] as const;
  const place = { uris: [slapd.uri], writeUri: slapd.uri, entry };
  const own = await bootstrapFolder(context, { ...place, admin: publisher });
  for (const after of [0, 1]) await publish(own.bootstrap, { text: `nodes: {} # ${String(after)}\n`, by: 'ann', message: '', after }, {});
  const nodes = await bootstrapFolder(context, { ...place, admin: reader });
  const publication = await Publication.open(nodes.bootstrap, { log, environment: {} });
  context.after(() => publication.close());
  assert.deepEqual((await publication.history()).map(({ number }) => number), [2, 1]);
  assert.equal((await publication.version(1))?.text, 'nodes: {} # 0\n');
  await assert.rejects(publish(nodes.bootstrap, { text: 'nodes: {}', by: 'ann', message: '', after: 2 }, {}), /refuses it \(result 50/);
  const see = async (as: Identity): Promise<string> => (await runTool('ldapsearch', { uri: slapd.uri, as, parameters: ['-LLL', '-b', entry, '-s', 'base'] })).output;
  assert.match(await see(reader), /waybillVersion: 2/);
  assert.equal(await see(['uid=alice,ou=people,dc=example,dc=com', 'change-me-alice']), '');
  const other = await runTool('ldapmodify', { uri: slapd.uri, as: publisher, input: 'dn: uid=alice,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mailHost\nmailHost: be9\n' });
  assert.equal(other.code, 50);
});

test('a replica follows the provider', async (context) => {
  const provider = await installed(context);
  await load(provider, 'ldapadd', { as: slapdConfigAdmin, file: 'provider.ldif' });
  const replica = await startSlapd(asInstalled);
  context.after(replica.stop);
  await load(replica, 'ldapadd', { as: slapdConfigAdmin, file: '/etc/ldap/schema/misc.ldif' });
  const here = (text: string): string => text.replaceAll('ldap://provider.example.com', provider.uri).replace('  starttls=critical\n', '').replace('change-me-admin', slapdBase.adminPassword);
  await load(replica, 'ldapmodify', { as: slapdConfigAdmin, file: 'replica.ldif', change: here });
  const hosts = async (): Promise<string> => (await runTool('ldapsearch', { uri: replica.uri, as: admin, parameters: ['-LLL', '-b', slapdBase.baseDn, '(mailHost=*)', 'mailHost'] })).output;
  await eventually(async () => (await hosts()).includes('mailHost: be1'));
  const refused = await runTool('ldapmodify', { uri: replica.uri, as: writer, input: 'dn: uid=alice,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mailHost\nmailHost: be9\n' });
  assert.notEqual(refused.code, 0, 'it takes no changes of its own');
});

/** What the server says of the attributes and classes of the schema. */
async function definitions(slapd: Slapd): Promise<string> {
  const { output } = await runTool('ldapsearch', { uri: slapd.uri, as: admin, parameters: ['-LLL', '-o', 'ldif-wrap=no', '-s', 'base', '-b', 'cn=Subschema', 'attributeTypes', 'objectClasses'] });
  const own = output.split('\n').filter((line) => line.includes("NAME 'waybill"));
  assert.equal(own.length, 9);
  return own.toSorted().join('\n');
}
