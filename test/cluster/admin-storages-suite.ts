/** Storages that are taken out of a back-end that runs, and taken in again. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAdmin, bearer, me } from '../harness/admin-api.ts';
import type { AdminAnswer } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { deliver } from '../harness/smtp-session.ts';

interface Listed { readonly directory: string; readonly state: string; readonly reason?: string }

export function adminStoragesSuite(cluster: () => Cluster): void {
  describe('storages that come and go', () => {
    let headers: Readonly<Record<string, string>>;
    let folder: (name: string) => string;
    before(async () => {
      headers = await bearer(cluster(), 'be2', me);
      folder = (name) => join(cluster().folder, 'be1', name);
    });
    const act = async (verb: 'attach' | 'detach', directory: string): Promise<AdminAnswer> => askAdmin(cluster(), ['fe1', `/api/v1/nodes/be1/storages/${verb}`], { method: 'POST', body: { directory }, headers });
    const listed = async (): Promise<readonly Listed[]> => (await askAdmin(cluster(), ['fe1', '/api/v1/nodes/be1/storages'], { headers })).body['storages'] as readonly Listed[];

    test('A storage is taken out of a node that goes on: its sessions end with words, nothing of it is left open, and taken in it is as it was', async () => {
      const [inside, outside] = [await personIn('storage2'), await personIn('storage1')];
      const sessions = { inside: await ImapSession.logIn(cluster(), { node: 'fe1', user: inside }), idle: await ImapSession.logIn(cluster(), { node: 'fe1', user: inside }), outside: await ImapSession.logIn(cluster(), { node: 'fe1', user: outside }) };
      for (const session of Object.values(sessions)) await session.ok('SELECT INBOX');
      sessions.idle.dialogue.say('i IDLE');
      await sessions.idle.dialogue.expect(/^\+ /);
      const out = await act('detach', folder('storage2'));
      assert.equal(out.status, 200, JSON.stringify(out.body));
      await until(async () => (await listed()).some(({ reason = '' }) => reason.includes('its files are let go')));
      for (const session of [sessions.inside, sessions.idle]) await session.dialogue.expect(/^\* BYE \[UNAVAILABLE\] the mail of this account can not be had for the time being/);
      await sessions.outside.ok('FETCH 1 BODY.PEEK[]');
      assert.deepEqual(openBelow(folder('storage2')), []);
      renameSync(folder('storage2'), folder('away')); // as if it were unmounted
      assert.deepEqual((await listed()).map(({ state }) => state), ['ok', 'detached']);
      const refused = await ImapSession.connect(cluster(), 'fe1');
      assert.match((await refused.run(`LOGIN ${inside} ${cluster().password}`)).completion, /^NO \[UNAVAILABLE\]/);
      const shown = await askAdmin(cluster(), ['fe1', `/api/v1/accounts/${inside}@example.com`], { headers });
      assert.deepEqual(shown.body['records'], { be1: { at: 'away' }, be2: { at: 'none' } }, 'who looks for the account finds where it is');
      await sessions.outside.ok('NOOP');
      assert.equal((await act('detach', folder('storage2'))).status, 400, 'that is done');
      const unchecked = await askAdmin(cluster(), ['fe1', '/api/v1/nodes/be1/storages/check'], { method: 'POST', body: { directory: folder('storage2') }, headers });
      assert.match(JSON.stringify(unchecked.body), /is taken out of this node: attach it first/);

      renameSync(folder('away'), folder('storage2'));
      const back = await act('attach', folder('storage2'));
      assert.equal(back.status, 200, JSON.stringify(back.body));
      await until(async () => (await listed()).every(({ state }) => state === 'ok'));
      const again = await ImapSession.logIn(cluster(), { node: 'fe1', user: inside });
      await again.ok('SELECT INBOX');
      assert.equal((await again.messages()).size, 1);
      await sessions.outside.ok('FETCH 1 BODY.PEEK[]');
      assert.deepEqual((await listed()).map(({ state }) => state), ['ok', 'ok']);
    });

    test('A storage that can not be opened is not taken in: it is said why, and the node goes on', async () => {
      const broken = folder('broken');
      mkdirSync(join(broken, 'packs'), { recursive: true });
      copyFileSync(join(folder('storage1'), 'storage.json'), join(broken, 'storage.json'));
      writeFileSync(join(broken, 'packs', '00000001.pack'), 'mail without an index');
      const { status, body } = await act('attach', broken);
      if (status !== 200) assert.match(JSON.stringify(body), /no index/);
      else assert.equal(body['storage'], 'opening');
      await until(async () => (await listed()).map(({ state }) => state).join() === 'ok,ok'); // workers that go may still answer for a moment
      const user = await addPerson(cluster(), 'be1');
      await (await ImapSession.logIn(cluster(), { node: 'fe1', user })).ok('NOOP');
    });

    /** Somebody whose mail lies in that storage, with one message. */
    async function personIn(storage: string): Promise<string> {
      for (let attempt = 0; attempt < 40; attempt += 1) {
        const user = await addPerson(cluster(), 'be1');
        await deliver(cluster(), 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes });
        const packs = join(folder(storage), 'packs');
        if (readdirSync(packs).some((name) => readFileSync(join(packs, name)).includes(`${user}@example.com`))) return user;
      }
      return assert.fail(`nobody comes into ${storage}`);
    }

    /** What processes of the node have open or mapped below a folder. */
    function openBelow(directory: string): readonly string[] {
      return processesOf(cluster().pid('be1')).flatMap(openBy).filter((path) => path.startsWith(`${directory}/`));
    }
  });
}

/** Files that a process has open or mapped. */
function openBy(pid: number): readonly string[] {
  return whileItLives(() => {
    const links = readdirSync(`/proc/${String(pid)}/fd`).map((fd) => linkOf(`/proc/${String(pid)}/fd/${fd}`));
    const maps = readFileSync(`/proc/${String(pid)}/maps`, 'utf8').split('\n').map((line) => line.slice(line.indexOf('/')));
    return [...links, ...maps];
  });
}

/** Of a process that has ended meanwhile: nothing. */
function whileItLives<T>(look: () => readonly T[]): readonly T[] {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return [];
    throw error;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadlineMs = performance.now() + 100_000; !(await condition());) {
    assert.ok(performance.now() < deadlineMs, condition.toString());
    await sleep(250);
  }
}

function processesOf(pid: number): readonly number[] {
  const children = whileItLives(() => readdirSync(`/proc/${String(pid)}/task`).flatMap((task) => readFileSync(`/proc/${String(pid)}/task/${task}/children`, 'utf8').split(' ').filter((word) => word !== '').map(Number)));
  return [pid, ...children.flatMap(processesOf)];
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}
