/** `waybill map export` and `map import` with the entries of Debian's slapd, and OpenLDAP's `ldapmodify` to apply what they print. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';

let cluster: Cluster;
let commands: CommandRunner;

before(async () => {
  cluster = await startCluster({ directory: 'slapd', nodes: [] });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
});

async function map(...words: string[]): Promise<CommandOutcome> {
  return commands.run(['map', ...words]);
}

async function importText(text: string, ...words: string[]): Promise<CommandOutcome> {
  const file = path.join(cluster.folder, 'import');
  fs.writeFileSync(file, text);
  return map('import', file, ...words);
}

test('an export that is imported changes nothing, in either format', async () => {
  for (const format of ['csv', 'ldif']) {
    const { code, output, complaint } = await map('export', '--format', format);
    assert.equal(code, 0, complaint);
    assert.match(output, format === 'csv' ? /^address,node,aliases\nalice@example\.com,be1,\nbob@example\.com,be2,\n/ : /^dn: uid=alice,ou=people,dc=example,dc=com\nmail: alice@example\.com\nmailHost: be1$/m);
    const again = await importText(output);
    assert.deepEqual({ code: again.code, output: again.output, complaint: again.complaint }, { code: 0, output: '', complaint: '' });
  }
});

test('without --write an import only prints LDIF, which ldapmodify takes', async () => {
  const { code, output, complaint } = await importText('address,node,aliases\nalice@example.com,be2,al@example.com ally@example.com\n');
  assert.equal(code, 0, complaint);
  assert.match(complaint, /^would change alice@example\.com: be1 -> be2\nwould change alice@example\.com: aliases none -> /);
  assert.match((await map('export')).output, /^alice@example\.com,be1,$/m);
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const applied = await runTool('ldapmodify', { uri, as: [adminDn, adminPassword], input: output });
  assert.equal(applied.code, 0, applied.complaint);
  assert.match((await map('export')).output, /^alice@example\.com,be2,al@example\.com ally@example\.com$/m);
});

test('every bad line is named by its number, and then nothing is changed', async () => {
  const { code, complaint } = await importText('bob@example.com,be1,\nnobody@example.com,be1,\n\ncarol@example.com,be7,\n', '--write');
  assert.notEqual(code, 0);
  assert.match(complaint, /line 2: no entry has the address "nobody@example\.com"\nline 4: "be7" is no node/);
  assert.match((await map('export')).output, /^bob@example\.com,be2,$/m);
});

test('--write puts the hosts into the directory, if the entry still has the host that was read', async () => {
  const other = await startCluster({ nodes: [] });
  try {
    const file = path.join(other.folder, 'import.csv');
    fs.writeFileSync(file, 'bob@example.com,be1,\n');
    const imported = await run(process.execPath, [programFile, 'map', 'import', file, '--write', '--config', other.configFile]);
    const unheard = (node: string): string => `waybill: ${node}: does not answer: it may go on with the hosts of before until routing.positiveAgeSeconds are over\n`;
    assert.deepEqual({ code: imported.code, output: imported.output, complaint: imported.complaint }, { code: 1, output: '', complaint: `waybill: it is done, but stands in no audit: no node takes it\nbob@example.com: be2 -> be1\n${unheard('fe1')}${unheard('fe2')}` }); // no node runs here
    assert.match((await run(process.execPath, [programFile, 'map', 'export', '--config', other.configFile])).output, /^bob@example\.com,be1,$/m);
  } finally {
    await other.stop();
  }
});
