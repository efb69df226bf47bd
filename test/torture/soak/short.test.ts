/** The short form of `npm run torture -- soak`. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Soak } from './soak.ts';

const sessions = 120;

test('idle sessions live through a new version of the configuration and another certificate; a worker that dies costs its own, and no other', { timeout: 200_000 }, async (t) => {
  const soak = await Soak.start(sessions);
  t.after(async () => soak.stop());
  await soak.begin(sessions, () => undefined);
  await soak.newVersion();
  await soak.newCertificate();
  const ended = await soak.killWorker();
  assert.equal(await soak.wakeAll(), sessions - ended);
});
