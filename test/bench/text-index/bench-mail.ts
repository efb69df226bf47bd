/** Mail for measurements: words as often as in languages (Zipf's law), and headers full of identifiers, as real mail has them. Follows from a seed. */
import { Dice } from '../../torture/dice.ts';

const syllables = ['ba', 'co', 'di', 'fen', 'gra', 'hu', 'in', 'jor', 'kel', 'lo', 'mi', 'nar', 'o', 'pre', 'qui', 'ro', 'sta', 'ter', 'un', 'ver', 'wa', 'xe', 'yl', 'zu', 'er', 'ing', 'tion', 'ly'];
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const vocabularySize = 60_000;
const people = 400;

export type NeedleKind = 'frequent' | 'usual' | 'rare' | 'phrase' | 'part' | 'absent' | 'person';

export interface Needle {
  readonly kind: NeedleKind;
  /** The search key, as it stands in a command. */
  readonly key: string;
}

export class BenchMail {
  readonly #dice: Dice;
  readonly #words: readonly string[];
  /** Words of messages that were made lately, for phrases that are there. */
  #last: readonly string[] = [];
  #made = 0;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    this.#words = Array.from({ length: vocabularySize }, (_, rank) => this.#newWord(rank));
  }

  /** The next message, of about that many bytes. */
  message(bytes: number): Buffer {
    this.#made += 1;
    const from = this.#person();
    const to = this.#person();
    const subject = this.#text(6);
    const fields = [
      `Received: from mx${String(this.#dice.below(20))}.example.net (192.0.2.${String(this.#dice.below(250))}) by mail.example.com with ESMTPS id ${this.#code(16)}; Thu, 26 Nov 2026 04:00:00 +0000`,
      `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=s1; h=from:to:subject;\r\n bh=${this.#code(44)};\r\n b=${this.#code(172)}`,
      `From: ${from.name} <${from.address}>`, `To: ${to.name} <${to.address}>`, `Subject: ${subject.join(' ')}`,
      `Message-ID: <${this.#code(20)}.${String(this.#made)}@example.net>`, 'Date: Thu, 26 Nov 2026 04:00:00 +0000', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8',
    ];
    const head = `${fields.join('\r\n')}\r\n\r\n`;
    const words: string[] = [];
    let body = '';
    for (let line = 0; head.length + body.length < bytes; line += 1) {
      const text = this.#text(11);
      words.push(...text);
      body += line % 12 === 11 ? `https://www.example.org/${this.#code(24)}\r\n` : `${text.join(' ')}.\r\n`;
    }
    this.#last = words;
    return Buffer.from(head + body);
  }

  /** Something to look for, of each kind in turn. */
  needle(turn: number): Needle {
    const kinds: readonly NeedleKind[] = ['usual', 'rare', 'frequent', 'usual', 'phrase', 'rare', 'person', 'absent', 'part', 'usual'];
    const kind = kinds[turn % kinds.length] ?? 'usual';
    const word = (from: number, to: number): string => this.#words[from + this.#dice.below(to - from)] ?? '';
    switch (kind) {
      case 'frequent': return { kind, key: `BODY ${word(20, 300)}` };
      case 'usual': return { kind, key: `TEXT ${word(1000, 10_000)}` };
      case 'rare': return { kind, key: `BODY ${word(20_000, vocabularySize)}` };
      case 'part': return { kind, key: `BODY ${word(1000, 10_000).slice(1, 6)}` };
      case 'absent': return { kind, key: `TEXT ${this.#code(9).replace(/[+/]/g, 'x')}` };
      case 'person': return { kind, key: `FROM ${this.#person().name.split(' ')[1] ?? ''}` };
      case 'phrase': {
        const at = this.#dice.below(Math.max(1, this.#last.length - 11));
        const start = at - (at % 11); // within a line
        return { kind, key: `BODY "${this.#last.slice(start, start + 2).join(' ')}"` };
      }
    }
  }

  #newWord(rank: number): string {
    const length = 1 + Math.min(4, Math.floor(Math.log2(rank + 2) / 4)) + this.#dice.below(2);
    return Array.from({ length }, () => this.#dice.pick(syllables)).join('');
  }

  #text(words: number): string[] {
    // Zipf's law: the chance of a word is as its rank's inverse.
    return Array.from({ length: words }, () => this.#words[Math.floor(vocabularySize ** (this.#dice.below(1_000_000) / 1_000_000)) - 1] ?? '');
  }

  #person(): { readonly name: string; readonly address: string } {
    const number = this.#dice.below(people);
    return { name: `${this.#words[1000 + number] ?? ''} ${this.#words[2000 + number] ?? ''}`, address: `p${String(number)}@example.net` };
  }

  #code(length: number): string {
    return Array.from({ length }, () => base64.charAt(this.#dice.below(64))).join('');
  }
}
