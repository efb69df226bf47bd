/** The life of a node's processes, seen from outside: real forks of a node that does nothing else. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Dialogue } from '../../harness/dialogue.ts';
import { sightOf } from '../../../shared/base/process-sight.ts';
import { eventually } from '../../harness/people.ts';
import { startNode } from './node-seen.ts';
import type { Told } from './node-seen.ts';

interface HangLine {
  readonly worker: number;
  readonly stage: string;
  readonly processorMs: number;
  readonly now: { readonly state: string };
}

function hangLine({ event, line }: Told): boolean {
  return event === 'log' && /^a worker hangs/.test((line as { readonly msg: string }).msg);
}

/** The session is alive, and in a worker of that configuration. */
async function answers(session: Dialogue, configuration: string): Promise<void> {
  session.say('are you there');
  assert.equal(await session.line(), `${configuration}: are you there`);
}

test('a node starts its workers, appoints one of them, carries hints to all, and stops clean', async (t) => {
  const node = startNode(t);
  const began = await node.until(({ event }) => event === 'began', 2);
  assert.deepEqual(began.map(({ slot }) => slot).sort(), [0, 1]);
  await node.until(({ event }) => event === 'appointed');
  const heard = await node.until(({ event }) => event === 'heard', 4);
  assert.equal(new Set(heard.map(({ pid, hint }) => `${String(pid)} ${JSON.stringify(hint)}`)).size, 4, 'each of two workers hears of both hints');
  node.order('stop');
  assert.equal(await node.ended, 0);
  assert.equal((await node.until(({ event }) => event === 'closed', 2)).length, 2);
});

test('a killed worker is replaced under its own number, and its once-per-node work passes to a living one', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'started');
  const [appointed] = await node.until(({ event }) => event === 'appointed');
  process.kill(appointed?.pid ?? 0, 'SIGKILL');
  const after = await node.until(({ event }) => event === 'appointed', 2);
  assert.notEqual(after[1]?.pid, appointed?.pid);
  const began = await node.until(({ event }) => event === 'began', 3);
  assert.deepEqual(began.map(({ slot }) => slot).sort().length, 3);
  assert.equal(new Set(began.slice(0, 2).map(({ slot }) => slot)).has(began[2]?.['slot']), true);
  node.order('stop');
  assert.equal(await node.ended, 0);
});

test('a new configuration gets new workers while the old ones leave; one that can not start changes nothing', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'started');
  node.order('bad');
  const [refused] = await node.until(({ event }) => event === 'refused');
  assert.match(String(refused?.['error']), /that is bad/);
  node.order('second');
  await node.until(({ event }) => event === 'reloaded');
  const began = await node.until(({ event, configuration }) => event === 'began' && configuration === 'second', 2);
  const closed = await node.until(({ event, configuration }) => event === 'closed' && configuration === 'first', 2);
  assert.ok(began.every(({ pid }) => !closed.some((other) => other.pid === pid)));
  await node.until(({ event, configuration }) => event === 'appointed' && configuration === 'second');
  node.order('stop');
  assert.equal(await node.ended, 0);
});

test('sessions go on in workers of older generations, however often the configuration changes, until they end by themselves', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'appointed');
  const first = await node.session();
  await answers(first, 'first');
  node.order('second');
  await node.until(({ event, configuration }) => event === 'appointed' && configuration === 'second');
  const second = await node.session();
  await answers(second, 'second');
  node.order('third');
  await node.until(({ event, configuration }) => event === 'appointed' && configuration === 'third');
  const third = await node.session();
  await Promise.all([answers(third, 'third'), answers(second, 'second'), answers(first, 'first')]);

  const began = await node.until(({ event }) => event === 'began', 6);
  const closed = await node.until(({ event }) => event === 'closed', 2); // those without a session
  const living = began.filter(({ pid }) => !closed.some((other) => other.pid === pid));
  assert.equal(living.length, 4);
  assert.equal(new Set(living.map(({ slot }) => slot)).size, 4, 'no two living workers have one number');
  await node.until(({ event, configuration, hint }) => event === 'heard' && configuration === 'first' && /of third/.test(JSON.stringify(hint)));

  first.close();
  await node.until(({ event, configuration }) => event === 'closed' && configuration === 'first', 2);
  await Promise.all([answers(third, 'third'), answers(second, 'second')]);
});

test('connections that are handed out by turns are spread evenly, go to the new workers after a change, and to whoever is left when one was killed', async (t) => {
  const node = startNode(t, ['by-turns']);
  await node.until(({ event }) => event === 'started');
  for (let number = 0; number < 8; number += 1) await answers(await node.session(), 'first');
  const takers = (await node.until(({ event }) => event === 'session', 8)).map(({ pid }) => pid);
  assert.notEqual(takers[0], takers[1]);
  assert.deepEqual(takers, takers.map((_, index) => takers[index % 2]));

  node.order('second');
  await node.until(({ event, configuration }) => event === 'appointed' && configuration === 'second');
  await answers(await node.session(), 'second');
  const [victim] = await node.until(({ event, configuration }) => event === 'began' && configuration === 'second');
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await node.until(({ event, configuration }) => event === 'began' && configuration === 'second', 3);
  for (let number = 0; number < 4; number += 1) await answers(await node.session(), 'second');
  node.order('stop');
  assert.equal(await node.ended, 0);
});

test('connections that come together are spread evenly, too, when a worker does not run just then', async (t) => {
  const node = startNode(t, ['by-turns']);
  const [late] = await node.until(({ event }) => event === 'began', 2);
  await node.until(({ event }) => event === 'started');
  for (let served = 12; ; served += 12) {
    const began = performance.now();
    process.kill(late?.pid ?? 0, 'SIGSTOP');
    const coming = Promise.all(Array.from({ length: 12 }, async () => node.session()));
    await new Promise((resolve) => setTimeout(resolve, 15));
    process.kill(late?.pid ?? 0, 'SIGCONT');
    for (const session of await coming) await answers(session, 'first');
    const takers = (await node.until(({ event }) => event === 'session', served)).slice(-12).map(({ pid }) => pid);
    if (performance.now() - began > 38) continue; // on a machine so busy it may be taken for one that hangs
    return assert.equal(takers.filter((pid) => pid === late?.pid).length, 6);
  }
});

test('connections that whoever is ready takes do not come to a worker that hangs', async (t) => {
  const node = startNode(t);
  const [hung] = await node.until(({ event }) => event === 'began', 2);
  await node.until(({ event }) => event === 'started');
  process.kill(hung?.pid ?? 0, 'SIGSTOP');
  t.after(() => process.kill(hung?.pid ?? 0, 'SIGKILL'));
  for (let number = 0; number < 6; number += 1) await answers(await node.session(), 'first');
});

test('connections that are handed out by turns: a worker that hangs gets one, which ends with it; all others are served', async (t) => {
  const node = startNode(t, ['by-turns']);
  const [hung] = await node.until(({ event }) => event === 'began', 2);
  await node.until(({ event }) => event === 'started');
  process.kill(hung?.pid ?? 0, 'SIGSTOP');
  const sessions = await Promise.all(Array.from({ length: 8 }, async () => node.session()));
  for (const session of sessions) session.say('are you there');
  const outcomes: string[] = [];
  const all = Promise.all(sessions.map(async (session) => session.line().then((line) => outcomes.push(line), (error: unknown) => outcomes.push(/connection closed/.test(String(error)) ? 'ended' : String(error)))));
  await node.until(({ event }) => event === 'session', 7);
  await eventually(async () => Promise.resolve(outcomes.length === 7));
  assert.deepEqual(outcomes, Array.from({ length: 7 }, () => 'first: are you there'));
  process.kill(hung?.pid ?? 0, 'SIGKILL');
  await all;
  assert.equal(outcomes[7], 'ended');
  for (let number = 0; number < 4; number += 1) await answers(await node.session(), 'first');
});

test('a worker that hangs is ended and replaced, whether it loops or was stopped; the log says what was seen of it', async (t) => {
  const node = startNode(t, ['by-turns', 'watch']);
  const both = (await node.until(({ event }) => event === 'began', 2)).map(({ pid }) => pid);
  await node.until(({ event }) => event === 'started');
  (await node.session()).say('hang');
  const [looping] = (await node.until(({ event }) => event === 'session')).map(({ pid }) => pid);
  const stopped = both.find((pid) => pid !== looping) ?? 0;
  process.kill(stopped, 'SIGSTOP');
  await node.until(({ event, hangs, restarts, workers }) => event === 'counted' && hangs === 2 && restarts === 2 && workers === 2);
  const lines = (await node.until(hangLine, 2)).map(({ line }) => line as HangLine);
  assert.deepEqual(lines.map(({ worker, now }) => [worker, now.state]).toSorted(), [[looping, 'R'], [stopped, 'T']].toSorted());
  assert.ok(lines.every(({ worker, processorMs }) => (worker === looping) === (processorMs > 300)), JSON.stringify(lines));
  await answers(await node.session(), 'first');
});

test('a worker that hangs while it starts is ended: a new configuration with which it does is refused, and the old one serves', async (t) => {
  const node = startNode(t, ['watch-closely', 'alone']);
  await node.until(({ event }) => event === 'started');
  const beganMs = performance.now();
  node.order('stuck');
  const [refused] = await node.until(({ event }) => event === 'refused');
  assert.match(String(refused?.['error']), /ended with SIGKILL before it was ready/);
  assert.ok(performance.now() - beganMs > 9000, 'it has ten times as long as one that serves');
  const lines = (await node.until(hangLine)).map(({ line }) => line as HangLine);
  assert.ok(lines.some(({ stage }) => stage === 'starting'), JSON.stringify(lines));
  await answers(await node.session(), 'first');
});

test('no worker is late while the supervisor did not run itself, and none is ended that another process traces', async (t) => {
  const node = startNode(t, ['watch']);
  const workers = (await node.until(({ event }) => event === 'began', 2)).map(({ pid }) => pid);
  const [{ pid: supervisor } = { pid: 0 }] = await node.until(({ event }) => event === 'started');
  t.after(() => workers.forEach((pid) => process.kill(pid, 'SIGKILL')));
  for (const pid of [...workers, supervisor]) process.kill(pid, 'SIGSTOP'); // as when the machine is suspended, for longer than a worker may be silent
  await new Promise((resolve) => setTimeout(resolve, 5000));
  for (const pid of [supervisor, ...workers]) process.kill(pid, 'SIGCONT');
  const [traced = 0] = workers;
  const tracer = spawn('strace', ['-o', '/dev/null', '-e', 'trace=none', '-p', String(traced)], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => tracer.kill('SIGKILL'));
  await eventually(async () => Promise.resolve(sightOf(traced)?.tracer === 'traced'));
  process.kill(traced, 'SIGSTOP');
  const [spared] = await node.until(({ event, line }) => event === 'log' && /left alone/.test(String((line as { msg: string }).msg)));
  assert.equal((spared?.['line'] as { reason: string }).reason, 'another process traces it');
  process.kill(traced, 'SIGCONT');
  await node.until(({ event, began, hangs }) => event === 'counted' && began === 2 && hangs === 0);
  assert.ok(!node.told.some(hangLine));
});

test('work that exists once per node passes to the new generation at once, and never is in two hands', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'appointed');
  const sessions = await Promise.all([node.session(), node.session()]); // one in each worker: neither can leave
  await Promise.all(sessions.map(async (session) => answers(session, 'first')));
  node.order('second');
  await node.until(({ event, configuration }) => event === 'appointed' && configuration === 'second');
  const order = node.told.filter(({ event }) => event === 'appointed' || event === 'let go').map(({ event, configuration }) => `${event} ${String(configuration)}`);
  assert.deepEqual(order, ['appointed first', 'let go first', 'appointed second']);
  await Promise.all(sessions.map(async (session) => answers(session, 'first')));
});

test('a node that stops ends its retiring workers too, with a word to their sessions', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'appointed');
  const session = await node.session();
  await answers(session, 'first');
  node.order('second');
  await node.until(({ event }) => event === 'reloaded');
  await answers(session, 'first');
  const beganMs = Date.now();
  node.order('stop');
  await session.expect(/^goodbye$/);
  session.close();
  assert.equal(await node.ended, 0);
  assert.ok(Date.now() - beganMs < 2000, 'within its time to drain');
});

test('patience with old sessions has an end', async (t) => {
  const node = startNode(t);
  await node.until(({ event }) => event === 'appointed');
  const session = await node.session();
  await answers(session, 'first');
  node.order('impatient');
  await session.expect(/^goodbye$/);
  session.close();
  await node.until(({ event, configuration }) => event === 'closed' && configuration === 'first', 2);
});

test('a worker that dies just before it is told something costs itself only', async (t) => {
  const node = startNode(t);
  const [{ pid: supervisor } = { pid: 0 }] = await node.until(({ event }) => event === 'started');
  const [{ pid: victim } = { pid: 0 }] = await node.until(({ event }) => event === 'began', 2);
  // While the supervisor sleeps one worker has something to tell all others, and another dies.
  process.kill(supervisor, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 2500));
  process.kill(victim, 'SIGKILL');
  process.kill(supervisor, 'SIGCONT');
  await node.until(({ event }) => event === 'began', 3);
  await answers(await node.session(), 'first');
});

test('what the workers count is told for the whole node by any of them, and what a dead one had counted is not lost', async (t) => {
  const node = startNode(t);
  await node.until(({ event, began, workers }) => event === 'counted' && began === 2 && workers === 2);
  const victim = (await node.until(({ event }) => event === 'began', 2))[0];
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await node.until(({ event, began, restarts, workers }) => event === 'counted' && began === 3 && restarts === 1 && workers === 2);
  assert.ok(!node.told.slice(node.told.findIndex(({ began }) => began === 2)).some(({ event, began }) => event === 'counted' && Number(began) < 2), 'never goes back');
  node.order('stop');
  assert.equal(await node.ended, 0);
});
