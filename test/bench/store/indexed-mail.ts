/** What is searched with a text index: mail whose words are as frequent as in languages, what is asked, and what must be found: by a look into each message. */
import { BenchMail } from '../text-index/bench-mail.ts';
import type { Needle } from '../text-index/bench-mail.ts';

const seed = 7;
const messageBytes = 4096;
/** Needles come from messages like the first ones. */
const madeBefore = 50;

export interface Asked extends Needle {
  /** Numbers of the messages that hold it, ascending. */
  readonly truth: number[];
}

/** The same questions for the same messages, each with its true answer once `messagesOf` has made them all. */
export function questions(count: number): Asked[] {
  const mail = new BenchMail(seed);
  for (let made = 0; made < madeBefore; made += 1) mail.message(messageBytes);
  const asked = new Map<string, Asked>();
  for (let turn = 0; asked.size < count; turn += 1) {
    const needle = mail.needle(turn);
    if (wordsOf(needle.key).every((word) => word.length >= shortestWord)) asked.set(needle.key, { ...needle, truth: [] });
  }
  return [...asked.values()];
}

/** Xapian's index knows no shorter ones, and says so. */
const shortestWord = 3;

function wordsOf(key: string): readonly string[] {
  return valueOf(key).split(' ');
}

function valueOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1).replaceAll('"', '');
}

/** So many messages, one after the other; each is looked into for what is asked. */
export function* messagesOf(count: number, asked: readonly Asked[]): Generator<Buffer, void, void> {
  const mail = new BenchMail(seed);
  const tests = asked.map(({ key, truth }) => ({ truth, place: key.split(' ', 1)[0], value: valueOf(key).toUpperCase() }));
  for (let number = 1; number <= count; number += 1) {
    const bytes = mail.message(messageBytes);
    const text = bytes.toString('latin1').toUpperCase();
    const body = text.indexOf('\r\n\r\n') + 4;
    const from = text.indexOf('\r\nFROM:');
    for (const { truth, place, value } of tests) {
      const at = text.indexOf(value, place === 'BODY' ? body : place === 'FROM' ? from : 0);
      if (at >= 0 && (place !== 'FROM' || at < text.indexOf('\r\n', from + 2))) truth.push(number);
    }
    yield bytes;
  }
}
