/**
 * `npm run bench -- text-index --help`: searches of text in one mailbox, over IMAP, without and with the index; how fast the
 * index is made, how large it is, and what it costs deliveries. Targets: the same hits, p95 of 20 ms at 100,000 messages,
 * deliveries with indexing at least 0.9 of those without.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runIndexer } from '../../backend/text-index/run-indexer.ts';
import { TextIndexing } from '../../backend/text-index/text-index.ts';
import type { StandingOrder } from '../../backend/text-index/indexer-notice.ts';
import { createLog } from '../../shared/log/log.ts';
import { password, startServer } from '../backend/imap/harness.ts';
import type { TestServer } from '../backend/imap/harness.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { textIndexCommand } from './command/plain-commands.ts';
import { BenchMail } from './text-index/bench-mail.ts';
import { addMessages, deliverAtOnce } from './text-index/deliveries.ts';
import { timeSearches } from './text-index/search-times.ts';
import type { SearchRun, SearchTimes } from './text-index/search-times.ts';

const [messages = 100_000, seed = 1] = textIndexCommand().parse().processedArgs as readonly (number | undefined)[];
const messageBytes = 4096;
const address = 'reader@example.com';
const needles = 200;
const withoutIndex = 10;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const directory = mkdtempSync(join(tmpdir(), 'waybill-text-index-bench-'));
const order: StandingOrder = { clusterName: 'test', nodeName: 'be1', directories: [directory], indexed: 'all' };

async function open(server: TestServer): Promise<SearchRun & { readonly dialogue: Dialogue }> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit', patienceMs: 300_000 });
  dialogue.say(`a LOGIN ${address} "${password}"`);
  await dialogue.until(/^a OK/);
  dialogue.say('b SELECT INBOX');
  await dialogue.until(/^b OK/);
  return {
    dialogue,
    search: async (key) => {
      dialogue.say(`c SEARCH ${key}`);
      const [, numbers = ''] = await dialogue.until(/^\* SEARCH(.*)$/);
      await dialogue.until(/^c OK/);
      return numbers;
    },
  };
}

function tell(name: string, { p50Ms, p95Ms, worstMs, byKind }: SearchTimes): void {
  say(`${name}: p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, worst ${ms(worstMs)}`);
  for (const [kind, { p50Ms: median, worstMs: worst, hits }] of Object.entries(byKind)) say(`  ${kind.padEnd(9)} p50 ${ms(median)}, worst ${ms(worst)}, ${String(hits)} hits`);
}

async function searches(): Promise<void> {
  const plain = await startServer({ directory });
  const beganMs = performance.now();
  await addMessages({ storage: plain.storage, address }, new BenchMail(seed), { messages, messageBytes });
  say(`${String(messages)} messages of ${String(messageBytes)} bytes in ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  const looked = await open(plain);
  const brute = await timeSearches(looked, mailAfter(), withoutIndex);
  tell('without index', brute);
  const indexMs = performance.now();
  const end = await runIndexer({ ...order, extent: 'make', begin: 'with-what-is-there', haste: { is: 'waited-for' } }, () => undefined).ended;
  const bytes = readdirSync(join(directory, 'text-index'), { recursive: true, encoding: 'utf8' }).reduce((sum, name) => sum + statSync(join(directory, 'text-index', name)).size, 0);
  say(`indexed: ${end.is === 'done' ? String(end.added) : end.is} in ${((performance.now() - indexMs) / 1000).toFixed(1)} s, ${(bytes / 2 ** 20).toFixed(1)} MB, ${(bytes / messages).toFixed(0)} bytes each`);
  const indexed = await startServer({ directory, textIndex: 'searched' });
  const asking = await open(indexed);
  await asking.search('TEXT warmup');
  const times = await timeSearches(asking, mailAfter(), needles);
  tell('with index', times);
  const differ = brute.answers.filter(({ key, found }) => times.answers.find((one) => one.key === key)?.found.join() !== found.join());
  say(differ.length === 0 ? `the same hits for ${String(brute.answers.length)} needles` : `DIFFERENT HITS for ${differ.map(({ key }) => key).join(', ')}`);
  looked.dialogue.close();
  asking.dialogue.close();
  await indexed.stop();
  await plain.stop();
}

/** Asks for what the last messages say. */
function mailAfter(): BenchMail {
  const mail = new BenchMail(seed);
  for (let made = 0; made < 50; made += 1) mail.message(messageBytes);
  return mail;
}

async function deliveries(): Promise<void> {
  const rates = { without: [] as number[], with: [] as number[] };
  for (const round of ['without', 'with', 'without', 'with'] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-text-index-bench-'));
    const server = await startServer({ directory: folder });
    const indexing = round === 'with' ? new TextIndexing({ order: { ...order, directories: [folder] }, hints: server.hints, log: createLog({ node: 'be1', level: 'silent' }), delayMs: 200 }) : undefined;
    rates[round].push(await deliverAtOnce({ storage: server.storage, address }, new BenchMail(seed), { messages: Math.min(messages, 10_000), messageBytes, atOnce: 16 }));
    await indexing?.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  say(`deliveries, 16 at once: ${mean(rates.without).toFixed(0)}/s without indexing, ${mean(rates.with).toFixed(0)}/s with: ${(mean(rates.with) / mean(rates.without)).toFixed(2)}`);
}

await searches();
await deliveries();
rmSync(directory, { recursive: true, force: true });
process.exit(0);
