/**
 * Answers questions about the texts of a mailbox by its index, as far as that knows. What it does not know (messages that came
 * since, or all when there is no index, or a damaged one) is said to be unknown, and the caller looks into the messages:
 * so a search is right whatever the index is like.
 */
import { join } from 'node:path';
import { boundedCache } from '../../shared/base/bounded-cache.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { HintBus } from '../../shared/service/service.ts';
import type { Mailbox } from '../storage/storage.ts';
import { damaged, searches } from './counters.ts';
import { exactScore } from './fuzzy-question.ts';
import { folderOf, isMissing, isOf, markWanted, readManifest, rootOf, setAside, wantedAtMs } from './index-folder.ts';
import { KnownManifests } from './known-manifests.ts';
import { enter } from './segment-positions.ts';
import { hasRank } from './posting-list.ts';
import type { TextQuestion } from './question.ts';
import { answerOf } from './segment-answer.ts';
import type { SegmentAnswer } from './segment-answer.ts';
import { SegmentCache } from './segment-cache.ts';
import { DamagedIndex } from './segment-file.ts';
import type { Segment } from './segment-file.ts';
import { scoresOf, unknownScore } from './segment-fuzzy.ts';

/** Of a message: it does not hold what was asked for, it does, or it must be looked into. */
export const Verdict = { no: 0, yes: 1, unknown: 2 } as const;

/** Which mailboxes have an index: none, those that somebody searches, all. */
export type IndexedMailboxes = 'off' | 'searched' | 'all';

/** In a smaller mailbox the messages are as soon looked into; so many may be missing in an index. */
export const fewMessages = 64;

export interface TextAnswersOptions {
  readonly indexed: IndexedMailboxes;
  readonly log: Logger;
  readonly hints: Pick<HintBus, 'publish'>;
  /** How much of indexes is kept in memory; 64 MB when absent. */
  readonly memoryBytes?: number | undefined;
}

/** Where a question is asked. */
export type AskedMailbox = Pick<Mailbox, 'id' | 'accountId' | 'directory' | 'state'>;

/** That a mailbox is searched is noted once in so long. */
const notedMs = 60_000;

export class TextAnswers {
  readonly #options: TextAnswersOptions;
  readonly #segments: SegmentCache;
  readonly #manifests = new KnownManifests();
  readonly #noted = boundedCache<true>(10_000, notedMs);

  constructor(options: TextAnswersOptions) {
    this.#options = options;
    this.#segments = new SegmentCache(options.memoryBytes ?? 64 * 1024 * 1024);
  }

  /** For each of the uids, a list that ascends and is never changed, a `Verdict`; undefined when nothing is known of any. Never throws for the sake of the index. */
  async verdicts(asked: AskedMailbox, question: TextQuestion, uids: readonly number[]): Promise<Uint8Array | undefined> {
    return this.#answers(asked, uids, { sure: Verdict.yes, unknown: Verdict.unknown, ask: async (segment) => verdictsOf(segment, await answerOf(segment, question)) });
  }

  /** As `verdicts`, for a FUZZY question: scores up to 100, 0 for no match, `unknownScore`. */
  async scores(asked: AskedMailbox, question: TextQuestion, uids: readonly number[]): Promise<Uint8Array | undefined> {
    return this.#answers(asked, uids, { sure: exactScore, unknown: unknownScore, ask: async (segment) => scoresOf(segment, question) });
  }

  /** Closes what is open of the indexes of that storage. */
  letGo(directory: string): void {
    this.#segments.forgetBelow(rootOf(directory));
  }

  close(): void {
    this.#segments.close();
  }

  async #answers(asked: AskedMailbox, uids: readonly number[], manner: Manner): Promise<Uint8Array | undefined> {
    if (this.#options.indexed === 'off' || uids.length < fewMessages) return undefined;
    const folder = folderOf(asked);
    try {
      const answers = await this.#tryTwice(folder, async () => this.#ask(asked, uids, manner));
      searches.add({ by: answers === undefined ? 'messages' : answers.includes(manner.unknown) ? 'index and messages' : 'index' });
      return answers;
    } catch (error) {
      await this.#giveUp(folder, error);
      return undefined;
    } finally {
      await this.#noteSearch(asked, folder);
    }
  }

  /** The indexer may replace segments, and the cache close them, between two steps. */
  async #tryTwice<T>(folder: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof DamagedIndex) throw error;
      this.#manifests.forget(folder);
      return action();
    }
  }

  async #ask(mailbox: AskedMailbox, uids: readonly number[], { sure, unknown, ask }: Manner): Promise<Uint8Array | undefined> {
    const folder = folderOf(mailbox);
    const manifest = await this.#manifests.read(folder);
    if (manifest === undefined || manifest.segments.length === 0 || !isOf(manifest, mailbox.state())) return undefined;
    const answers = new Uint8Array(uids.length).fill(unknown);
    for (const { file } of manifest.segments) {
      const segment = await this.#segments.open(join(folder, file));
      const ofSegment = await ask(segment);
      if (ofSegment === undefined) return undefined;
      for (const rank of segment.opaque) if (ofSegment[rank] !== sure) ofSegment[rank] = unknown; // not all of them is indexed
      enter(segment, ofSegment, { uids, answers });
    }
    return answers;
  }

  async #giveUp(folder: string, error: unknown): Promise<void> {
    this.#options.log.warn({ err: error, folder }, 'the text index of a mailbox cannot be used: messages are looked into instead');
    searches.add({ by: 'messages' });
    if (!(error instanceof DamagedIndex) && !isMissing(error)) return;
    damaged.add({});
    this.#noted.delete(folder); // the note goes with the folder
    const manifest = await readManifest(folder).catch(() => undefined);
    for (const { file } of manifest?.segments ?? []) this.#segments.forget(join(folder, file));
    await setAside(folder).catch((cause: unknown) => this.#options.log.warn({ err: cause, folder }, 'a damaged text index could not be set aside'));
  }

  /** The indexer makes indexes for mailboxes that are searched, and hears of the first time at once. */
  async #noteSearch({ accountId, id }: AskedMailbox, folder: string): Promise<void> {
    if (this.#noted.has(folder)) return;
    this.#noted.set(folder, true);
    try {
      const isFirst = (await wantedAtMs(folder)) === undefined;
      await markWanted(folder);
      if (isFirst) this.#options.hints.publish({ account: accountId, mailbox: id });
    } catch (error) {
      this.#options.log.warn({ err: error, folder }, 'that a mailbox is searched could not be noted for the text index');
    }
  }
}

/** How messages of a segment are judged; undefined: it can't tell of any. */
interface Manner {
  /** More text could not make it more. */
  readonly sure: number;
  /** Stands for messages that must be looked into. */
  readonly unknown: number;
  readonly ask: (segment: Segment) => Promise<Uint8Array | undefined>;
}

function verdictsOf(segment: Segment, answer: SegmentAnswer | undefined): Uint8Array | undefined {
  if (answer === undefined) return undefined;
  const { proven, candidates } = answer;
  const verdicts = new Uint8Array(segment.uids.length);
  for (let at = 0; at < proven.length; at += 1) {
    if (((proven[at] ?? 0) | (candidates[at] ?? 0)) === 0) continue; // so it mostly is
    for (let rank = 8 * at; rank < 8 * at + 8; rank += 1) {
      if (hasRank(proven, rank)) verdicts[rank] = Verdict.yes;
      else if (hasRank(candidates, rank)) verdicts[rank] = Verdict.unknown;
    }
  }
  return verdicts;
}
