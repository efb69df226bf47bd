/** `waybill map check`, `export` and `import` where each domain has a directory of its own, with its own names of attributes. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { startEmbeddedDirectory } from '../harness/embedded-directory.ts';
import type { EmbeddedDirectory } from '../harness/embedded-directory.ts';
import { baseLdif, personLdif } from '../harness/people.ts';

let cluster: Cluster;
let commands: CommandRunner;
let other: EmbeddedDirectory;

/** With the host in `description`, as where the schema can't be extended. */
const described = (name: string, mail: string, host: string): string => personLdif({ name, mail }).replace('userPassword', `description: ${host}\nuserPassword`);

before(async () => {
  cluster = await startCluster({ nodes: [] });
  commands = new CommandRunner(cluster.configFile);
  other = await startEmbeddedDirectory({
    ldif: [baseLdif, described('zoe', 'zoe@example.org', 'be1'), described('lost', 'lost@example.org', 'be9'), described('alice', 'alice@example.com', 'be2'), personLdif({ name: 'homeless', mail: 'homeless@example.org' }), described('one', 'two@example.org', 'be1'), described('two', 'two@example.org', 'be1')].join('\n'),
  });
  const connector = ['    - name: other', `      uris: ["${other.uri}"]`, '      searchBase: dc=example,dc=com', '      attributes: { host: description }', ''].join('\n');
  const maps = '    - { name: com, type: ldapBind, connector: directory, domains: [example.com] }\n    - { name: org, type: ldapBind, connector: other, domains: [Example.org] }\n';
  const yaml = fs.readFileSync(cluster.configFile, 'utf8');
  fs.writeFileSync(cluster.configFile, yaml.replace(/ {2}userMaps:\n.*\n/, `${connector}  userMaps:\n${maps}`).replace('  primaryDomain:', '  domains: [example.org]\n  primaryDomain:'));
});
after(async () => {
  commands.stop();
  await cluster.stop();
  await other.stop();
});

test('check: what is wrong in either directory, and nothing for an address that only looks like a duplicate', async () => {
  const { output, complaint } = await commands.run(['map', 'check', '--json']);
  const { findings } = JSON.parse(output) as { findings: readonly { kind: string; address?: string; text: string }[] };
  const ofEntries = findings.filter(({ kind }) => kind !== 'unreachable').map(({ kind, address }) => `${kind} ${address ?? ''}`).toSorted();
  assert.deepEqual(ofEntries, ['duplicate two@example.org', 'foreign-domain alice@example.com', 'no-host homeless@example.org', 'unknown-host lost@example.org'], complaint);
  assert.match(findings.find(({ kind }) => kind === 'foreign-domain')?.text ?? '', /no user map asks/);
  assert.deepEqual(findings.filter(({ kind }) => kind === 'unreachable').length, 2, 'no back-end runs');
});

test('an exported LDIF is read back with each directory\'s own names', async () => {
  const exported = await commands.run(['map', 'export', '--format', 'ldif']);
  assert.match(exported.output, /^dn: uid=zoe,ou=people,dc=example,dc=com\nmail: zoe@example\.org\ndescription: be1$/m);
  const file = path.join(cluster.folder, 'users.ldif');
  fs.writeFileSync(file, 'dn: uid=zoe,ou=people,dc=example,dc=com\nmail: zoe@example.org\ndescription: be2\n');
  const imported = await commands.run(['map', 'import', file]);
  assert.equal(imported.code, 0, imported.complaint);
  assert.match(imported.output, /^replace: description\ndescription: be2$/m);
});

test('a directory that is away makes no half report', async () => {
  await other.stop();
  const { code, output, complaint } = await commands.run(['map', 'check', '--json']);
  assert.notEqual(code, 0);
  assert.equal(output, '');
  assert.match(complaint, /directory/);
});
