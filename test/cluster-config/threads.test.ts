/** How many workers a node has, and which part of a service's commands each of them may work on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOfNode, parseConfig } from '../../cluster-config/load.ts';
import { commandSlots, workersOf } from '../../cluster-config/threads.ts';
import { sample, sampleFile } from './sample.ts';

function be1(parameters: string): ReturnType<typeof configOfNode> {
  return configOfNode(parseConfig(sample.replace('maxErrors: 5', parameters), sampleFile), 'be1', sampleFile);
}

/** With one more service beside those of the sample. */
function be1With(service: string): ReturnType<typeof configOfNode> {
  return configOfNode(parseConfig(sample.replace('      imap:\n', `      ${service}\n      imap:\n`), sampleFile), 'be1', sampleFile);
}

test('a back-end has as many workers as the service that wants most, and `workers` at least', () => {
  const { workers } = be1('maxErrors: 5');
  assert.equal(workersOf(be1('maxErrors: 5')), workers);
  assert.equal(workersOf(be1('minConnThreads: 1')), workers);
  assert.equal(workersOf(be1('minConnThreads: 7')), 7);
  assert.equal(workersOf(be1('minConnThreads: 7\n        enable: false')), workers, 'a service that does not run wants none');
  assert.equal(workersOf(be1With('webmail: { minConnThreads: 9 }')), 9);
  assert.equal(workersOf(be1With('processing: { filteringThreads: 6 }')), 6);
  assert.equal(workersOf(be1With('processing: { filteringThreads: 6, enable: false }')), workers);
});

test('each worker has its part of the places, rounded up', async () => {
  const { imap } = commandSlots(be1('minConnThreads: 4\n        maxConnThreads: 5'));
  await imap.take();
  await imap.take();
  let third = 'waits';
  const taken = imap.take().then(() => { third = 'has one'; });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(third, 'waits');
  imap.giveBack();
  await taken;
});
