/** What clients see while no worker of a node lives: real forks of a node that does nothing else, seen from outside. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNode } from './node-seen.ts';

/** Says one line; how the server, or the system, answers it. */
async function greet(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port }, () => socket.write('hello\n'));
    socket.once('data', (data) => {
      resolve(data.toString().trim());
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('ended'));
  });
}

for (const connections of ['first-come', 'by-turns']) {
  test(`nobody is refused while the only worker is dead: who comes waits for the next (${connections})`, async (t) => {
    const node = startNode(t, [connections, 'alone']);
    const [{ pid, port } = { pid: 0, port: 0 }] = await node.until(({ event }) => event === 'began');
    await node.until(({ event }) => event === 'started');
    const clients: Promise<string>[] = [];
    const timer = setInterval(() => clients.push(greet(Number(port))), 10);
    t.after(() => clearInterval(timer));
    for (let killed = 0, victim = pid; killed < 2; killed += 1) {
      await sleep(200);
      const before = clients.length;
      process.kill(victim, 'SIGKILL');
      victim = (await node.until(({ event }) => event === 'began', killed + 2)).at(-1)?.pid ?? 0;
      assert.ok(clients.length - before > 20, 'clients came meanwhile');
    }
    clearInterval(timer);
    const answers = await Promise.all(clients);
    const others = answers.filter((answer) => answer !== 'first: hello');
    assert.ok(others.length <= 10 && others.every((answer) => answer === 'ended' || answer === 'ECONNRESET'), `only those that a killed worker had are cut: ${others.join(' ')}`);
    node.order('stop');
    assert.equal(await node.ended, 0);
  });

  test(`nobody waits for ever for workers that die again and again: after ten seconds clients are refused (${connections})`, async (t) => {
    const node = startNode(t, [connections, 'alone']);
    const [{ pid, port } = { pid: 0, port: 0 }] = await node.until(({ event }) => event === 'began');
    await node.until(({ event }) => event === 'started');
    node.order('doom');
    await sleep(200);
    const beganMs = performance.now();
    process.kill(pid, 'SIGKILL');
    await sleep(300);
    const outcome = await greet(Number(port));
    const waitedMs = performance.now() - beganMs;
    assert.match(outcome, /^(ended|ECONNRESET)$/);
    assert.ok(waitedMs > 9500 && waitedMs < 20_000, `waited ${String(waitedMs)} ms`);
    assert.equal(await greet(Number(port)), 'ECONNREFUSED');
  });

  test(`what a new configuration does not listen at is closed, and what nobody had is not kept (${connections})`, async (t) => {
    const node = startNode(t, [connections, 'alone']);
    const [{ port } = { port: 0 }] = await node.until(({ event }) => event === 'began');
    await node.until(({ event }) => event === 'started');
    assert.equal(await greet(Number(port)), 'first: hello');
    node.order('deaf');
    await node.until(({ event }) => event === 'reloaded');
    await node.until(({ event, configuration }) => event === 'closed' && configuration === 'first');
    assert.equal(await greet(Number(port)), 'ECONNREFUSED');
    const [deaf] = await node.until(({ event, configuration }) => event === 'began' && configuration === 'deaf');
    process.kill(deaf?.pid ?? 0, 'SIGKILL');
    await node.until(({ event, configuration }) => event === 'began' && configuration === 'deaf', 2);
    assert.equal(await greet(Number(port)), 'ECONNREFUSED');
  });
}
