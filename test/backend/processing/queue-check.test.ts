/** The check of the queue names each message whose bytes are lost or changed, and each that would not be found when it is due. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkQueue } from '../../../backend/processing/processing.ts';
import { QueueStore } from '../../../backend/processing/queue-store.ts';
import { change, packWith } from '../storage/damage.ts';
import { inPieces, sampleMessage, temporaryDirectory } from '../storage/harness.ts';

const kind = { name: 'queue', fileName: 'queue.json', format: 1 };
const quiet = { report: () => undefined, signal: new AbortController().signal };

test('A sound queue is sound; lost and changed bytes, wrong counters and lost due times are found, each with whose mail it is', async (t) => {
  const directory = temporaryDirectory(t);
  const store = new QueueStore(directory, 0);
  t.after(async () => store.close());
  for (const name of ['one', 'two']) {
    const staged = await store.stage(inPieces(sampleMessage(name)), { maxBytes: 10_000, sender: 'sender@example.net' });
    await staged.settled();
    const recipient = { address: `${name}@example.org`, notify: undefined, orcpt: undefined, destination: 'domain:example.org', state: { at: 'waiting', dueAtMs: 1000, why: 'new' }, tries: 0, delayTold: false, lastWords: undefined } as const;
    const sender = { address: 'sender@example.net', ret: undefined, envid: undefined, smtpUtf8: false, eightBit: false };
    await store.add(() => [{ id: name, place: staged.place, digest: staged.digest.toString('hex'), trace: '', sender, acceptedAtMs: 0, confirmation: 'confirmed', holder: '', recipients: [recipient] }]);
    staged.done();
  }
  const found = async (): Promise<readonly (readonly [string, string])[]> => (await checkQueue({ directory, kind, ...store.kept }, quiet)).findings.map(({ kind: what, text }) => [what, text] as const);
  assert.deepEqual(await found(), []);

  const { path, bytes } = packWith(directory, 'Subject: two');
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(changed.indexOf('Subject: two') + 100) ^ 1, changed.indexOf('Subject: two') + 100);
  writeFileSync(path, changed);
  const [[what = '', text = ''] = [], ...more] = await found();
  assert.equal(what, 'record-changed');
  assert.match(text, /^item two of 1970-.* from <sender@example.net> to two@example.org: pack \d+ has other bytes of it than were written$/);
  assert.deepEqual(more, []);
  renameSync(path, `${path}.away`);
  assert.deepEqual((await found()).map(([one]) => one), ['pack-lost', 'pack-lost']);
  renameSync(`${path}.away`, path);
  writeFileSync(path, bytes);

  for (const [table, kinds] of [['due', ['changes-wrong']], ['items', ['left-over', 'live-bytes-wrong']]] as const) {
    const undo = await change(directory, table, () => 'remove');
    assert.deepEqual((await found()).map(([one]) => one).sort(), kinds, table);
    await undo();
  }
  assert.deepEqual(await found(), []);
  await change(directory, 'due', () => 'remove');
  assert.deepEqual((await found()).map(([one]) => one), ['changes-wrong']);
  for (const { id } of store.list({ from: '', limit: 2 })) await store.change(id, (item) => item); // as "queue retry" does
  assert.deepEqual(await found(), []);
  assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith('scratch')), []);
  assert.equal(readFileSync(path).length, bytes.length);
});
