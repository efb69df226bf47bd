/** `npm run torture -- soak [sessions]`: so many idle sessions while everything around them changes. */
import { Soak } from './soak.ts';

const usualSessions = 10_000;
const turns = 3;

export async function soak(given: number | undefined, say: (text: string) => void): Promise<void> {
  const sessions = given ?? usualSessions;
  const beganAtMs = Date.now();
  const tell = (text: string): void => say(`${String(Math.round((Date.now() - beganAtMs) / 1000))} s: ${text}`);
  const soaking = await Soak.start(sessions);
  try {
    await soaking.begin(sessions, tell);
    for (let turn = 1; turn <= turns; turn += 1) {
      await soaking.newVersion();
      tell(`version ${String(turn)} of the configuration is in use at all nodes; no session ended`);
      await soaking.newCertificate();
      tell('new clients are shown another certificate; no session ended');
      tell(`${String(await soaking.wakeAll())} sessions answer`);
    }
    tell(`a worker was killed: its own ${String(await soaking.killWorker())} sessions ended, and no other`);
    tell(`${String(await soaking.wakeAll())} sessions answer`);
  } finally {
    await soaking.stop();
  }
}
