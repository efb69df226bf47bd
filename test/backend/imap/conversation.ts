/**
 * Plays conversations written as text files against a real server.
 *
 *     # The sentence that names the behaviour.
 *     connect: plain            before anything is said: `plain` (STARTTLS port), `tls`; default: `tls` and logged in
 *     message: INBOX \Seen 17-Jul-1996 Subject text     is in the mailbox before the first line
 *     C: a1 NOOP                what the client says; lines that follow each other are sent in one write
 *     S: a1 OK {any}            what the server must answer, line by line
 *     S: ...                    any lines, up to the one that matches the next S: line
 *     C2: / S2:                 a second session of the same account
 *     C3: / S3:                 a session of another user, `{$friend}`
 *     C4: / S4:                 a session of the account that keeps the public folders
 *     deliver: INBOX Subject    a message arrives
 *     mail: INBOX Subject: text | References: <a@b>     a message arrives that has these header fields (and may have flags and a date before them)
 *     closed                    the server closes the connection (`closed2` for the second)
 *
 * In S: lines `{any}` is any text, `{number}` a number, `{x=number}` and `{x=any}` remember it and `{$x}` (also in C: lines) says it again.
 */
import * as fs from 'node:fs';
import assert from 'node:assert/strict';
import { flagBits } from '../../../backend/imap/flag-texts.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { deliver, password } from './harness.ts';
import type { TestServer } from './harness.ts';

interface Step {
  readonly line: number;
  readonly word: string;
  readonly text: string;
}

export interface Conversation {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Keeps the public folders of example.com. */
export const publicOwner = 'public@example.com';

/** Another user, for each conversation its own. */
export function friendOf(address: string): string {
  return `friend-${address}`;
}

/** Reads a conversation file. */
export function readConversation(file: string): Conversation {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const steps: Step[] = [];
  lines.forEach((text, index) => {
    if (text.startsWith('#') || text.trim() === '') return;
    const match = /^([CS][234]?|connect|message|deliver|mail): ?(.*)$/.exec(text) ?? /^(closed[234]?)()$/.exec(text);
    assert.ok(match, `${file}:${String(index + 1)}: not understood: ${text}`);
    steps.push({ line: index + 1, word: match[1] ?? '', text: match[2] ?? '' });
  });
  return { title: (lines[0] ?? file).replace(/^# ?/, ''), steps };
}

/** Plays it as the user `address`. Fails with the line of the file and both directions. */
export async function play(conversation: Conversation, server: TestServer, address: string): Promise<void> {
  const player = new Player(server, address);
  try {
    for (let at = 0; at < conversation.steps.length; at += 1) {
      const step = conversation.steps[at];
      if (step === undefined) break;
      const next = conversation.steps[at + 1];
      try {
        await player.take(step, next);
      } catch (error) {
        throw new Error(`line ${String(step.line)} (${step.word}: ${step.text}): ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  } finally {
    player.close();
  }
}

class Player {
  readonly #server: TestServer;
  readonly #address: string;
  readonly #sessions = new Map<string, Dialogue>();
  readonly #remembered = new Map<string, string>();
  #connect = 'login';
  #unsent = '';
  #skipping = false;

  constructor(server: TestServer, address: string) {
    this.#server = server;
    this.#address = address;
  }

  async take(step: Step, next: Step | undefined): Promise<void> {
    const session = /\d$/.exec(step.word)?.[0] ?? '1';
    switch (step.word.replace(/\d$/, '')) {
      case 'connect':
        this.#connect = step.text;
        return;
      case 'message':
      case 'deliver':
        return this.#deliver(step.text, messageAbout);
      case 'mail':
        return this.#deliver(step.text, messageWith);
      case 'C': {
        const dialogue = await this.#session(session);
        this.#unsent += `${this.#fill(step.text)}\r\n`;
        if (next?.word === step.word) return;
        dialogue.sayRaw(Buffer.from(this.#unsent, 'utf8'));
        this.#unsent = '';
        return;
      }
      case 'S':
        return this.#hear(await this.#session(session), step.text);
      default:
        return (await this.#session(session)).closed();
    }
  }

  close(): void {
    for (const dialogue of this.#sessions.values()) dialogue.close();
  }

  async #session(name: string): Promise<Dialogue> {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const plain = this.#connect === 'plain';
    const dialogue = await Dialogue.connect({ port: plain ? this.#server.ports.startTls : this.#server.ports.tls, tls: plain ? 'none' : 'implicit' });
    this.#sessions.set(name, dialogue);
    if (this.#connect !== 'login') return dialogue;
    await dialogue.expect(/^\* OK/);
    dialogue.say(`login LOGIN ${this.#userOf(name)} "${password}"`);
    await dialogue.expect(/^login OK/);
    return dialogue;
  }

  #userOf(session: string): string {
    return session === '3' ? friendOf(this.#address) : session === '4' ? publicOwner : this.#address;
  }

  async #hear(dialogue: Dialogue, text: string): Promise<void> {
    if (text === '...') {
      this.#skipping = true;
      return;
    }
    const { pattern, names } = this.#pattern(text);
    const match = this.#skipping ? await dialogue.until(pattern) : await dialogue.expect(pattern);
    this.#skipping = false;
    names.forEach((name, index) => this.#remembered.set(name, match[index + 1] ?? ''));
  }

  #pattern(text: string): { readonly pattern: RegExp; readonly names: readonly string[] } {
    const names: string[] = [];
    const source = this.#fill(text)
      .split(/(\{(?:\w+=)?(?:any|number)\})/)
      .map((piece) => {
        const placeholder = /^\{(?:(\w+)=)?(any|number)\}$/.exec(piece);
        if (placeholder === null) return piece.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
        const kind = placeholder[2] === 'any' ? '.*' : '\\d+';
        if (placeholder[1] === undefined) return kind;
        names.push(placeholder[1]);
        return `(${kind})`;
      })
      .join('');
    return { pattern: new RegExp(`^${source}$`), names };
  }

  #fill(text: string): string {
    return text.replaceAll(/\{\$(\w+)\}/g, (_match, name: string) => (name === 'address' ? this.#address : name === 'friend' ? friendOf(this.#address) : (this.#remembered.get(name) ?? '')));
  }

  async #deliver(text: string, compose: (text: string) => Buffer): Promise<void> {
    const words = text.split(' ');
    const mailbox = words.shift() ?? 'INBOX';
    let flags = 0;
    const keywords: string[] = [];
    while (/^[\\$]/.test(words[0] ?? '')) {
      const flag = words.shift() ?? '';
      if (flag.startsWith('$')) keywords.push(flag);
      else flags |= (flagBits as Readonly<Record<string, number>>)[flag] ?? 0;
    }
    const date = /^\d{1,2}-\w{3}-\d{4}$/.test(words[0] ?? '') ? { internalDateMs: Date.parse(`${words.shift() ?? ''} 12:00 UTC`) } : {};
    const bytes = compose(words.join(' '));
    await deliver({ storage: this.#server.storage, address: this.#address, mailbox }, bytes, { flags, keywords, ...date });
  }
}

/** A plain message with that subject, always the same bytes. */
export function messageAbout(subject: string): Buffer {
  return Buffer.from(
    `From: Ann <ann@example.org>\r\nTo: bob@example.com\r\nSubject: ${subject}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\n` +
      `Message-ID: <${subject.replaceAll(/\W/g, '')}@example.org>\r\n\r\nBody of ${subject}.\r\n`,
  );
}

/** A message with those header fields. */
function messageWith(fields: string): Buffer {
  return Buffer.from(`${fields.split(' | ').join('\r\n')}\r\n\r\nBody.\r\n`);
}
