/**
 * Many clients act on one account, in sessions of two worker processes, and a simple model predicts every response and the final state. A run is
 * a list of acts made from a seed; of one that fails the shortest that still fails is looked for.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import type { ChangeHint } from '../../../../shared/service/service.ts';
import { testProcess } from '../../../harness/program-file.ts';
import { password, startServer } from '../harness.ts';
import type { TestServer } from '../harness.ts';
import { actKinds } from './acts.ts';
import type { Act } from './acts.ts';
import { AccountModel } from './mailbox-model.ts';
import * as annotationActs from './annotation-acts.ts';
import * as mailboxActs from './mailbox-acts.ts';
import * as messageActs from './message-acts.ts';
import * as rushActs from './rush-acts.ts';
import * as searchActs from './search-acts.ts';
import * as watchActs from './watch-acts.ts';
import { Player } from './player.ts';
import { Stage } from './stage.ts';

export interface ModelRun {
  readonly seed: number;
  /** Lists of acts, and acts in each at most. */
  readonly runs: number;
  readonly acts: number;
  /** After so long the search for a shorter list ends; a run that is not through then has failed. */
  readonly limitMs: number;
  /** Where a failure is to be reproduced from, as fast-check has printed it. */
  readonly path?: string | undefined;
}

const lastLines = 60;
/** What their clients enable; the second and the last are at the other worker. */
const enables = [undefined, 'CONDSTORE METADATA', 'QRESYNC METADATA', 'QRESYNC'] as const;

const number = fc.nat({ max: 9999 });
/** Of a failing list acts are left out, which is what makes it readable; their numbers stay. */
const anyAct: fc.Arbitrary<Act> = fc.noShrink(fc.record({ who: fc.nat({ max: enables.length - 1 }), kind: fc.constantFrom(...actKinds), a: number, b: number, c: number }));

/** @throws AssertionError with the seed, the acts and what was said, when anything comes that the model did not predict */
export async function runModel({ seed, runs, acts, limitMs, path: from }: ModelRun): Promise<void> {
  const server = await startServer({ limits: { maxErrors: 1_000_000 } });
  const worker = await startWorker(server);
  let accounts = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(anyAct, { minLength: 1, maxLength: acts, size: 'max' }), async (script) => {
        accounts += 1;
        await play(script, { server, otherPort: worker.port, address: `model${String(accounts)}@example.com` });
      }),
      { seed, numRuns: runs, interruptAfterTimeLimit: limitMs, markInterruptAsFailure: true, ...(from === undefined ? {} : { path: from }) },
    );
  } finally {
    await worker.stop();
    await server.stop();
  }
}

async function startWorker(server: TestServer): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const child = fork(testProcess('backend/imap/model/worker'), [server.directory]);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  let passing: 'on' | 'off' = 'off';
  const unsubscribe = server.hints.subscribe((hint) => {
    if (passing === 'off' && child.connected) child.send({ hint });
  });
  child.on('message', ({ hint }: { readonly hint: ChangeHint }) => {
    passing = 'on';
    server.hints.publish(hint);
    passing = 'off';
  });
  return {
    port,
    stop: async () => {
      unsubscribe();
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

interface Place {
  readonly server: TestServer;
  readonly otherPort: number;
  readonly address: string;
}

async function play(script: readonly Act[], { server, otherPort, address }: Place): Promise<void> {
  const said: string[] = [];
  const account = new AccountModel(await server.storage.createAccount(address));
  const players = enables.map((extension, index) => new Player(String(index), { port: index % 2 === 0 ? server.ports.tls : otherPort, address, password, enables: extension, account }, (line) => said.push(line)));
  const stage = new Stage(account, players, async (limits) => server.storage.lives.setLimits(address, limits));
  try {
    for (const player of players) await player.enter();
    for (const act of script) await perform(stage, act);
    await finish(stage);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said.slice(-lastLines).join('\n')}`, { cause: error });
  } finally {
    for (const player of players) player.close();
  }
}

async function perform(stage: Stage, act: Act): Promise<void> {
  const player = stage.players[act.who];
  assert.ok(player !== undefined);
  if (player.model.idle === 'yes') await stage.endIdle(player);
  if (player.model.state === 'doomed' && act.kind !== 'select') {
    assert.equal((await player.ask('NOOP')).status, 'BYE');
    await player.enter();
  }
  const needsView = !['append', 'create', 'rename', 'delete', 'select', 'noop', 'idle', 'status', 'list', 'notify', 'log out', 'limit', 'quota', 'annotate', 'read annotations', 'at once'].includes(act.kind);
  // A client that has nothing open opens what it can.
  if (needsView && player.model.view === undefined) await mailboxActs.select(stage, player, { ...act, kind: 'select', b: act.b | 1 });
  if (needsView && player.model.view === undefined) return;
  await doAct(stage, player, act);
}

async function doAct(stage: Stage, player: Player, act: Act): Promise<void> {
  switch (act.kind) {
    case 'append': return messageActs.append(stage, player, act);
    case 'store': return messageActs.store(stage, player, act);
    case 'copy': case 'move': return messageActs.copyOrMove(stage, player, act);
    case 'expunge': case 'uid expunge': return messageActs.expunge(stage, player, act);
    case 'fetch': return messageActs.fetch(stage, player, act);
    case 'search': case 'sort': return searchActs.search(stage, player, act);
    case 'thread': return searchActs.thread(stage, player, act);
    case 'create': return mailboxActs.create(stage, player, act);
    case 'rename': return mailboxActs.rename(stage, player, act);
    case 'delete': return mailboxActs.remove(stage, player, act);
    case 'select': return mailboxActs.select(stage, player, act);
    case 'close': return mailboxActs.close(stage, player);
    case 'unselect': return mailboxActs.unselect(stage, player);
    case 'status': return mailboxActs.status(stage, player, act);
    case 'list': return mailboxActs.list(stage, player);
    case 'idle': return stage.beginIdle(player);
    case 'notify': return watchActs.notify(stage, player, act);
    case 'log out': return watchActs.logOut(player);
    case 'limit': return watchActs.limit(stage, act);
    case 'annotate': return annotationActs.annotate(stage, player, act);
    case 'read annotations': return annotationActs.readAnnotations(stage, player, act);
    case 'quota': return watchActs.quota(stage, player, act);
    case 'follow': return searchActs.follow(stage, player, act);
    case 'replace': return messageActs.replace(stage, player, act);
    case 'at once': return rushActs.rush(stage, act);
    case 'noop': messageActs.onlyKeywords((await stage.run(player, { text: 'NOOP', status: 'OK' })).others);
  }
}

/** In the end everybody sees the same. */
async function finish(stage: Stage): Promise<void> {
  for (const player of stage.players) {
    if (player.model.idle === 'yes') await stage.endIdle(player);
    if (player.model.state === 'doomed') continue;
    messageActs.onlyKeywords((await stage.run(player, { text: 'NOOP', status: 'OK' })).others);
    if (player.model.view !== undefined) await messageActs.fetch(stage, player, { who: 0, kind: 'fetch', a: 5, b: 0, c: 1 });
  }
  stage.account.checkNames();
}
