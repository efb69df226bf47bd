/** Versions of the configuration in a directory: two publishers at once, what is kept, and a node whose replica lags. The embedded directory and slapd. */
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationRefused } from '../../../cluster-config/problem.ts';
import type { Bootstrap } from '../../../cluster-config/publishing/bootstrap.ts';
import { DirectorySource } from '../../../cluster-config/publishing/directory-source.ts';
import { keptFile, readKept } from '../../../cluster-config/publishing/kept-version.ts';
import { Publication } from '../../../cluster-config/publishing/publication.ts';
import { publish } from '../../../cluster-config/publishing/publisher.ts';
import type { Published } from '../../../cluster-config/publishing/published.ts';
import type { FollowOptions } from '../../../cluster-config/publishing/source.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { bootstrapFolder } from '../../harness/bootstrap-folder.ts';
import type { BootstrapFolder } from '../../harness/bootstrap-folder.ts';
import { startEmbeddedDirectory } from '../../harness/embedded-directory.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { keepingLog } from '../../harness/people.ts';
import { startReplicatedSlapd } from '../../harness/replicated-slapd.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';
import { TcpProxy } from '../../harness/tcp-proxy.ts';

const schema = path.resolve(import.meta.dirname, '..', '..', '..', 'docs', 'directory', 'openldap', 'waybill.schema');
const entry = `cn=waybill-configuration,${slapdBase.baseDn}`;
const admin = [slapdBase.adminDn, slapdBase.adminPassword] as const;
const ldif = `dn: ${slapdBase.baseDn}\nobjectClass: top\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n`;
/** Not everything is ASCII, and letter case and blanks count. */
const text = (number: number): string => `# Fassung ${String(number)}: für  ALLE\nnodes: {}\n`;

async function put(bootstrap: Bootstrap, after: number, by = 'ann'): Promise<Published> {
  return publish(bootstrap, { text: text(after + 1), by, message: `step ${String(after + 1)}`, after }, {});
}

async function opened(context: TestContext, bootstrap: Bootstrap): Promise<Publication> {
  const publication = await Publication.open(bootstrap, { log: keepingLog().log, environment: {} });
  context.after(() => publication.close());
  return publication;
}

const directories = {
  'the embedded directory': async () => startEmbeddedDirectory({ ldif }),
  slapd: async () => startSlapd({ ldif, more: { global: [`include ${schema}`] } }),
};

for (const [name, start] of Object.entries(directories)) {
  test(`${name}: of many publishers at once one is first, the others are told who; old versions are kept as they were`, async (context) => {
    const directory = await start();
    context.after(async () => directory.stop());
    const { bootstrap } = await bootstrapFolder(context, { uris: [directory.uri], writeUri: directory.uri, admin, entry });
    const publication = await opened(context, bootstrap);
    assert.deepEqual([await publication.head(), await publication.history()], [undefined, []]);
    for (const after of [0, 1, 2]) {
      const all = await Promise.allSettled(['ann', 'bert', 'cleo', 'dora'].map(async (by) => put(bootstrap, after, by)));
      const winners = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      assert.equal(winners.length, 1, JSON.stringify(all));
      const [winner] = winners;
      for (const one of all) {
        if (one.status === 'rejected') assert.ok(isFailure(one.reason, 'in-use') && one.reason.message.includes(`version ${String(after + 1)} by ${winner?.by ?? ''} at ${winner?.at ?? ''} (step`), String(one.reason));
      }
      assert.deepEqual(await publication.head(), winner);
    }
    const history = await publication.history();
    assert.deepEqual(history.map(({ number, message }) => [number, message]), [[3, 'step 3'], [2, 'step 2'], [1, 'step 1']]);
    for (const number of [1, 2, 3]) assert.equal((await publication.version(number))?.text, text(number));
    assert.equal(await publication.version(4), undefined);
  });
}

test('what was changed by hand and has not the digest of its publishing is no version', async (context) => {
  const directory = await startEmbeddedDirectory({ ldif });
  context.after(async () => directory.stop());
  const { bootstrap } = await bootstrapFolder(context, { uris: [directory.uri], writeUri: directory.uri, admin, entry });
  await put(bootstrap, 0);
  const publication = await opened(context, bootstrap);
  await runTool('ldapmodify', { uri: directory.uri, as: admin, input: `dn: ${entry}\nchangetype: modify\nreplace: waybillDocument\nwaybillDocument: nodes: {}\n` });
  await assert.rejects(publication.head(), /version 1 at .* was changed by hand/);
});

test('a publisher whom the write server refuses, or who can\'t reach it, hears so', async (context) => {
  const directory = await startEmbeddedDirectory({ ldif });
  context.after(async () => directory.stop());
  const place = { uris: [directory.uri], writeUri: directory.uri, admin, entry };
  const wrong = await bootstrapFolder(context, { ...place, admin: [admin[0], 'wrong'] });
  await assert.rejects(put(wrong.bootstrap, 0), /nothing was published: ldap:\/\/127\.0\.0\.1:\d+ refuses it \(result 49/);
  const nobody = await bootstrapFolder(context, { ...place, writeUri: 'ldap://127.0.0.1:1' });
  await assert.rejects(put(nobody.bootstrap, 0), (error) => isFailure(error, 'directory-unavailable') && /ldap:\/\/127\.0\.0\.1:1, which takes changes, can't be reached/.test(error.message));
});

/** A node that follows what is published, without being one. */
class Node {
  readonly used: number[] = [];
  readonly refused: number[] = [];
  readonly source: DirectorySource;
  readonly #log = keepingLog().log;

  constructor({ bootstrap, file }: BootstrapFolder) {
    this.source = DirectorySource.open({ bootstrap, file, node: 'be1', role: 'backend', environment: {} });
  }

  async run(context: TestContext): Promise<void> {
    const onRefused: FollowOptions['onRefused'] = ({ number }) => this.refused.push(number ?? 0);
    const inUse = await this.source.first({ log: this.#log, onRefused, accept: ({ number = 0, label }) => this.#accept(number, label) });
    this.used.push(inUse.number ?? 0);
    const watch = this.source.follow({
      log: this.#log, inUse, onRefused, onUndone: () => undefined,
      onDirectory: () => undefined,
      onVersion: async ({ number = 0, label }) => {
        this.#accept(number, label);
        this.used.push(number);
        return Promise.resolve();
      },
    });
    context.after(() => watch.close());
  }

  /** Every fifth is bad. */
  #accept(number: number, label: string): void {
    if (number % 5 === 0) throw new ConfigurationRefused(label, [{ path: [], text: 'is bad' }]);
  }
}

test('a node whose replica lags never goes back to a lower version, refuses a bad one, and keeps the last good one on its disk', async (context) => {
  const both = await startReplicatedSlapd({ ldif, global: [`include ${schema}`] });
  context.after(both.stop);
  // The line to the provider can be cut; then the replica is asked.
  const line = await TcpProxy.start(both.provider.port);
  context.after(async () => line.refuse());
  const toReplica = await TcpProxy.start(both.replica.port);
  context.after(async () => toReplica.refuse());
  const place = await bootstrapFolder(context, { uris: [line, toReplica].map(({ port }) => `ldap://127.0.0.1:${String(port)}`), writeUri: both.provider.uri, admin, entry });
  for (const after of [0, 1]) await put(place.bootstrap, after);
  const replica = await opened(context, (await bootstrapFolder(context, { uris: [both.replica.uri], writeUri: both.provider.uri, admin, entry })).bootstrap);
  await until('the replica has version 2', async () => (await replica.headFacts())?.number === 2);
  both.lag();
  const node = new Node(place);
  await node.run(context);
  await put(place.bootstrap, 2);
  await until('the node runs version 3', () => node.used.at(-1) === 3);
  await until('it is kept', async () => (await readKept(keptFile(place.bootstrap.keep ?? '', 'be1')))?.number === 3);
  await line.refuse();
  await put(place.bootstrap, 3);
  await put(place.bootstrap, 4);
  await until('the node asks the replica', () => toReplica.accepted > 0);
  assert.equal((await replica.headFacts())?.number, 2);
  const restarted = new Node(place);
  await restarted.run(context);
  assert.deepEqual([node.used, restarted.used], [[2, 3], [3]], 'what is kept is newer than what the replica has');
  await line.accept();
  both.catchUp();
  await until('both refuse version 5', () => node.refused.includes(5) && restarted.refused.includes(5));
  assert.deepEqual([node.used, restarted.used], [[2, 3], [3]]);
  assert.equal((await readKept(keptFile(place.bootstrap.keep ?? '', 'be1')))?.number, 3);
  // Without anything kept, it takes the newest one that is good.
  const fresh = new Node({ ...place, bootstrap: { ...place.bootstrap, keep: path.join(place.folder, 'elsewhere') } });
  await fresh.run(context);
  assert.deepEqual([fresh.refused[0], fresh.used], [5, [4]]);
  await put(place.bootstrap, 5);
  await until('all run version 6', () => [node, restarted, fresh].every(({ used }) => used.at(-1) === 6));
  assert.deepEqual([node.used, restarted.used, fresh.used], [[2, 3, 6], [3, 6], [4, 6]]);
});

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await isSo()); await sleep(50)) assert.ok(Date.now() < deadline, `never: ${what}`);
}
