/** Changes of domains as edits of the configuration: what is written, what stays, what is refused. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseDocument } from 'yaml';
import { addedDomain, changedDomain, deletedDomain, domainFacts, removedDomain, renamedDomain, undeletedDomain } from '../../cluster-config/domains.ts';
import type { DocumentChange } from '../../cluster-config/domains.ts';
import type { NodeConfig } from '../../cluster-config/effective.ts';
import { isFailure } from '../../shared/base/failure.ts';

const before = `# kept
cluster:
  primaryDomain: example.com
  domains: [example.org, edu.example] # ours
  catchAll: { edu.example: ann@example.com }
  domainSettings: { edu.example: { postmaster: ann@example.com, quota: { maxMessages: 5 } } }
  userMaps: [{ type: ldapBind, name: users, connector: directory, domains: [example.com, edu.example] }]
`;
const config = {
  primaryDomain: 'example.com', domains: ['example.org', 'edu.example'], domainAliases: { 'alias.example': 'example.org' }, catchAll: { 'edu.example': 'ann@example.com' },
  domainSettings: { 'edu.example': { status: 'active', postmaster: 'ann@example.com', quota: { maxMessages: 5 } }, 'example.org': { status: 'deleted' } },
  userMaps: [{ name: 'users', domains: ['example.com', 'edu.example'] }],
} as unknown as NodeConfig;

function edited(change: DocumentChange, text = before): string {
  const document = parseDocument(text);
  change(document);
  return document.toString({ lineWidth: 0 });
}

const refusal = (words: RegExp) => (error: unknown): boolean => isFailure(error, 'bad-input') && words.test(error.message);

test('a setting is written where it belongs and goes with what held it; comments stay', () => {
  const { change } = changedDomain(config, 'Edu.Example', { storages: ['/srv/a'], catchAll: null, quota: {} });
  const after = edited(change);
  assert.match(after, /^# kept\n[\s\S]*domains: \[ ?example\.org, edu\.example ?\] # ours/);
  assert.doesNotMatch(after, /catchAll|quota/);
  assert.deepEqual((parseDocument(after).toJS() as { cluster: { domainSettings: unknown } }).cluster.domainSettings, { 'edu.example': { postmaster: 'ann@example.com', storages: ['/srv/a'] } });
  const empty = edited(changedDomain(config, 'edu.example', { postmaster: null }).change, after.replace(', storages: [ /srv/a ]', '').replace(', storages: [/srv/a]', ''));
  assert.doesNotMatch(empty, /domainSettings/);
});

test('a renamed domain takes its settings, its catch-all and its place in maps along; begun twice it is begun once', () => {
  const { begin, end, to } = renamedDomain(config, { domain: 'edu.example', to: 'School.example', oldName: 'kept' });
  assert.equal(to, 'school.example');
  assert.ok(begin !== undefined);
  const between = edited(begin);
  type Shape = { cluster: { domains: string[]; catchAll: unknown; domainSettings: unknown; domainAliases?: unknown; userMaps: { domains: string[] }[] } };
  const both = (parseDocument(between).toJS() as Shape).cluster;
  assert.deepEqual([both.domains, both.userMaps[0]?.domains], [['example.org', 'edu.example', 'school.example'], ['example.com', 'edu.example', 'school.example']]);
  const { cluster } = parseDocument(edited(end, between)).toJS() as Shape;
  assert.deepEqual(cluster, {
    primaryDomain: 'example.com', domains: ['example.org', 'school.example'], catchAll: { 'school.example': 'ann@example.com' }, domainAliases: { 'edu.example': 'school.example' },
    domainSettings: { 'school.example': { postmaster: 'ann@example.com', quota: { maxMessages: 5 } } }, userMaps: [{ type: 'ldapBind', name: 'users', connector: 'directory', domains: ['example.com', 'school.example'] }],
  });
  assert.equal(renamedDomain({ ...config, domains: [...config.domains, 'school.example'] }, { domain: 'edu.example', to: 'school.example', oldName: 'dropped' }).begin, undefined);
});

test('what can not be is refused before anything is written', () => {
  for (const [act, words] of [
    [() => addedDomain(config, { domain: 'edu.example' }), /already/], [() => addedDomain(config, { domain: 'no domain' }), /no domain name/],
    [() => addedDomain(config, { domain: 'new.example', aliasOf: 'nowhere.example' }), /no domain of this cluster/],
    [() => deletedDomain(config, 'example.com'), /primary/], [() => removedDomain(config, 'example.com'), /primary/], [() => deletedDomain(config, 'example.org'), /deleted already/],
    [() => undeletedDomain(config, 'edu.example'), /not deleted/], [() => changedDomain(config, 'example.org', { status: 'active' }), /bring it back/],
    [() => changedDomain(config, 'alias.example', { status: 'active' }), /another name of example\.org/], [() => renamedDomain(config, { domain: 'edu.example', to: 'alias.example', oldName: 'kept' }), /another name/],
    [() => renamedDomain(config, { domain: 'edu.example', to: 'edu.example', oldName: 'kept' }), /its name already/],
  ] as const) assert.throws(act, refusal(words));
});

test('another name is told with what holds for the domain that it repeats', () => {
  const { kind, of, status } = domainFacts(config, 'alias.example');
  assert.deepEqual([kind, of, status, domainFacts(config, 'edu.example').maps], ['alias', 'example.org', 'deleted', ['users']]);
});
