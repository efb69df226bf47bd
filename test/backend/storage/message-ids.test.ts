/** Numbers of messages: no two messages of a storage ever have the same. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { usualBounds } from '../../../backend/storage/account-bounds.ts';
import { setCounter } from '../../../backend/storage/keys.ts';
import { stageMessage } from '../../../backend/storage/stage.ts';
import { closeVolume, openVolumeOf } from '../../../backend/storage/volume.ts';
import { RecordingHints, sampleMessage, temporaryDirectory } from './harness.ts';

test('A message that comes back into a storage which was set back to an older state keeps its number for itself', async (t) => {
  const directory = temporaryDirectory(t);
  const folders = { index: join(directory, 'index'), packs: join(directory, 'packs') };
  const volume = openVolumeOf(folders, { hints: new RecordingHints(), reserveBytes: 0, limitsOf: () => ({ bytes: 0, messages: 0 }), bounds: usualBounds });
  t.after(async () => closeVolume(volume));
  const { environment, messages, tables } = volume;
  const stage = async (subject: string): ReturnType<typeof stageMessage> => {
    const staged = await stageMessage(volume, [sampleMessage(subject)], { owner: 'a@example.com', maxBytes: 10_000 });
    await staged.bytes.settled();
    return staged;
  };
  const [old, fresh] = [await stage('of old'), await stage('a new one')];
  const known = await environment.write(() => {
    const messageId = messages.add(old.bytes.place, old.findings.keptStructure);
    messages.release(messageId); // it went elsewhere with its account
    setCounter(tables, 'message', 0); // and the storage is restored from a backup of before
    return messageId;
  });
  await environment.write(() => messages.add(old.bytes.place, old.findings.keptStructure, known));
  const others = await environment.write(() => [messages.add(fresh.bytes.place, fresh.findings.keptStructure), messages.add(fresh.bytes.place, fresh.findings.keptStructure)]);
  assert.equal(new Set([known, ...others]).size, 3);
  assert.deepEqual(environment.read(() => messages.place(known)), old.bytes.place);
  await Promise.all([old.discard(), fresh.discard()]);
});
