/**
 * Many clients act on one account, in sessions of two worker processes, and a simple model predicts every response and the final state. A run is
 * a list of acts made from a seed; of one that fails the shortest that still fails is looked for.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import type { ImapLimits } from '../../../../backend/imap/imap.ts';
import type { ChangeHint } from '../../../../shared/service/service.ts';
import { testProcess } from '../../../harness/program-file.ts';
import { startTwoNodes } from '../two-nodes.ts';
import type { NodeName, TwoNodes } from '../two-nodes.ts';
import { password } from '../harness.ts';
import type { TestServer } from '../harness.ts';
import { actKinds, inboxNumber } from './acts.ts';
import type { Act, ActKind } from './acts.ts';
import { AccountModel } from './mailbox-model.ts';
import * as annotationActs from './annotation-acts.ts';
import { begin } from './begin.ts';
import * as catenateActs from './catenate-acts.ts';
import * as listActs from './list-acts.ts';
import * as mailboxActs from './mailbox-acts.ts';
import * as messageActs from './message-acts.ts';
import * as replaceActs from './replace-acts.ts';
import * as rightsActs from './rights-acts.ts';
import * as rushActs from './rush-acts.ts';
import * as savedActs from './saved-acts.ts';
import * as searchActs from './search-acts.ts';
import * as urlActs from './url-acts.ts';
import * as watchActs from './watch-acts.ts';
import * as multisearchActs from './multisearch-acts.ts';
import * as uidOnlyActs from './uid-only-acts.ts';
import { Player } from './player.ts';
import type { Home } from './player.ts';
import { Stage } from './stage.ts';

export interface ModelRun {
  readonly seed: number;
  /** Whether sessions that are told news unasked look for them at once, or not until a pause is over, as usual: most of the time of a run is such pauses. */
  readonly news: 'at once' | 'after a pause';
  /** Lists of acts, and acts in each at most; half as many on average. */
  readonly runs: number;
  readonly acts: number;
  /** A run that is not through after so long has failed. */
  readonly limitMs: number;
  /** For so long a shorter list is looked for that still fails. */
  readonly shortenMs: number;
  /** Where a failure is to be reproduced from, as fast-check has printed it. */
  readonly path?: string | undefined;
  /** Hears at once how a list has failed: looking for a shorter one takes its time. */
  readonly tell: (line: string) => void;
}

const lastLines = 60;
type Worker = 'first' | 'second' | 'on the other node';
/** Who they are, where they come in, and what their clients enable. */
const clients: readonly { readonly home: Home; readonly at: Worker; readonly enables: string | undefined }[] = [
  { home: 'owner', at: 'first', enables: undefined },
  { home: 'owner', at: 'second', enables: 'CONDSTORE METADATA' },
  { home: 'owner', at: 'first', enables: 'QRESYNC METADATA' },
  { home: 'owner', at: 'second', enables: 'QRESYNC' },
  { home: 'on the node of the owner', at: 'second', enables: 'QRESYNC' },
  { home: 'on another node', at: 'on the other node', enables: undefined },
  { home: 'on another node', at: 'on the other node', enables: 'QRESYNC' },
];
/** What guests do instead of what the owner alone does here. */
const ofGuests: Partial<Record<ActKind, ActKind>> = {
  'follow': 'store', 'at once': 'replace', 'annotate': 'notify', 'read annotations': 'notify', 'limit': 'replace', 'quota': 'catenate',
};

const number = fc.nat({ max: 9999 });
/** Of a failing list acts are left out, which is what makes it readable; their numbers stay. Without bias: else half of the lists would be of a few acts, and a fifth of the numbers the smallest, which mean the same again and again. */
const anyAct: fc.Arbitrary<Act> = fc.noShrink(fc.record({ who: fc.nat({ max: clients.length - 1 }), kind: fc.constantFrom(...actKinds), a: number, b: number, c: number }));

/** Answers how many acts there were. @throws AssertionError with the seed, the acts and what was said, when anything comes that the model did not predict */
export async function runModel({ seed, news, runs, acts, limitMs, shortenMs, path: from, tell }: ModelRun): Promise<number> {
  const limits = { maxErrors: 1_000_000, ...(news === 'at once' ? { newsPauseMs: 0 } : {}) };
  const cluster = await startTwoNodes(limits);
  const server = cluster.nodes.be2;
  const worker = await startWorker(server, limits);
  let [accounts, done] = [0, 0];
  let shortenUntilMs: number | undefined;
  try {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.array(anyAct, { minLength: 1, maxLength: acts, size: 'max' })), async (script) => {
        if (shortenUntilMs !== undefined && performance.now() > shortenUntilMs) return; // the shortest so far is the answer
        accounts += 1;
        await play(script, { cluster, secondPort: worker.port, number: accounts }).catch((error: unknown) => {
          if (shortenUntilMs === undefined) tell(`failed, seed ${String(seed)}, list ${String(accounts)}; for ${String(shortenMs / 1000)} s a shorter one is looked for. ${error instanceof Error ? error.message : String(error)}`);
          shortenUntilMs ??= performance.now() + shortenMs;
          throw error;
        });
        done += script.length;
      }),
      { seed, numRuns: runs, interruptAfterTimeLimit: limitMs, markInterruptAsFailure: true, ...(from === undefined ? {} : { path: from }) },
    );
    return done;
  } finally {
    await worker.stop();
    await cluster.stop();
  }
}

async function startWorker(server: TestServer, limits: Partial<ImapLimits>): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const child = fork(testProcess('backend/imap/model/worker'), [server.directory, JSON.stringify(limits)]);
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
  readonly cluster: TwoNodes;
  readonly secondPort: number;
  /** Makes addresses that nobody had before. */
  readonly number: number;
}

/** A user with nothing yet. */
async function newUser({ cluster, number: which }: Place, name: string, node: NodeName): Promise<AccountModel> {
  const address = `${name}@run${String(which)}.example.com`; // a domain of its own: what all may see they see
  cluster.homes.set(address, node);
  return new AccountModel(await cluster.nodes[node].storage.createAccount(address));
}

async function play(script: readonly Act[], place: Place): Promise<void> {
  const said: string[] = [];
  const { be1, be2 } = place.cluster.nodes;
  const ports = { 'first': be2.ports.tls, 'second': place.secondPort, 'on the other node': be1.ports.tls };
  const users = { 'owner': await newUser(place, 'model', 'be2'), 'on the node of the owner': await newUser(place, 'near', 'be2'), 'on another node': await newUser(place, 'far', 'be1') };
  const account = users.owner;
  const players = clients.map(({ home, at, enables }, index) => new Player(String(index), { port: ports[at], address: users[home].address, password, enables, account: users[home], home, worker: at === 'second' ? at : 'first' }, (line) => said.push(line)));
  const stage = new Stage(account, players, async (limits) => be2.storage.lives.setLimits(account.address, limits));
  try {
    for (const player of players) await player.enter();
    await begin(stage, players[0] ?? assert.fail(), script[0]?.b ?? 0);
    for (const act of script) await perform(stage, act);
    await finish(stage);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said.slice(-lastLines).join('\n')}`, { cause: error });
  } finally {
    for (const player of players) player.close();
  }
}

async function perform(stage: Stage, wanted: Act): Promise<void> {
  const player = stage.players[wanted.who];
  assert.ok(player !== undefined);
  const act: Act = player.home === 'owner' ? wanted : { ...wanted, kind: ofGuests[wanted.kind] ?? wanted.kind };
  if (player.model.idle === 'yes') await stage.endIdle(player);
  if (stage.isDoomed(player) && act.kind !== 'select') await stage.hearLoss(player);
  const needsView = !['append', 'create', 'rename', 'delete', 'select', 'noop', 'idle', 'status', 'list', 'subscribe', 'uid only', 'search several', 'catenate', 'urls', 'notify', 'log out', 'limit', 'quota', 'annotate', 'read annotations', 'at once', 'grant', 'rights'].includes(act.kind);
  // A client that has nothing open opens what it can; a guest mostly INBOX, where he mostly has some right or other.
  const a = player.home === 'owner' || act.c % 4 === 0 ? act.a : inboxNumber;
  if (needsView && player.model.view === undefined) await mailboxActs.select(stage, player, { ...act, kind: 'select', a, b: act.b | 1 });
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
    case 'list': return player.home === 'owner' || act.c % 3 !== 0 ? listActs.list(stage, player, act) : rightsActs.listShared(stage, player);
    case 'subscribe': return listActs.subscribe(stage, player, act);
    case 'uid only': return uidOnlyActs.uidOnly(stage, player, act);
    case 'search several': return multisearchActs.searchSeveral(stage, player, act);
    case 'catenate': return catenateActs.catenate(stage, player, act);
    case 'urls': return urlActs.useUrls(stage, player, act);
    case 'grant': return rightsActs.grant(stage, player, act);
    case 'rights': return rightsActs.readRights(stage, player, act);
    case 'idle': return stage.beginIdle(player);
    case 'notify': return watchActs.notify(stage, player, act);
    case 'log out': return watchActs.logOut(player);
    case 'limit': return watchActs.limit(stage, act);
    case 'annotate': return annotationActs.annotate(stage, player, act);
    case 'read annotations': return annotationActs.readAnnotations(stage, player, act);
    case 'quota': return watchActs.quota(stage, player, act);
    case 'follow': return searchActs.follow(stage, player, act);
    case 'use saved': return savedActs.useSaved(stage, player, act);
    case 'replace': return replaceActs.replace(stage, player, act);
    case 'at once': return rushActs.rush(stage, act);
    case 'noop': messageActs.onlyKeywords((await stage.run(player, { text: 'NOOP', status: 'OK' })).others);
  }
}

/** In the end everybody sees the same. */
async function finish(stage: Stage): Promise<void> {
  for (const player of stage.players) {
    if (player.model.idle === 'yes') await stage.endIdle(player);
    if (stage.isDoomed(player)) continue;
    messageActs.onlyKeywords((await stage.run(player, { text: 'NOOP', status: 'OK' })).others);
    if (player.model.view !== undefined) await messageActs.fetch(stage, player, { who: 0, kind: 'fetch', ...messageActs.fetchOfAll });
  }
  stage.account.checkNames();
}
