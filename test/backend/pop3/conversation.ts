/**
 * Plays conversations written as text files against a real server.
 *
 *     # The sentence that names the behaviour.
 *     connect: plain            before anything is said: `plain` (the STLS port) or `tls`; default: `tls`, greeted and logged in
 *     message: text\r\nmore     is in INBOX before the first line (\r \n are escapes)
 *     C: STAT                   what the client says; lines that follow each other are sent in one write
 *     S: +OK {any}              what the server must answer, line by line
 *     S: ...                    any lines, up to the one that matches the next S: line
 *     starttls                  the TLS handshake
 *     hang up                   the client is gone; the next C: or S: is of a new session
 *     closed                    the server closes the connection
 *
 * In S: lines `{any}` is any text and `{number}` a number.
 */
import * as fs from 'node:fs';
import assert from 'node:assert/strict';
import { Dialogue } from '../../harness/dialogue.ts';
import { deliver, inboxOf, password } from './harness.ts';
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

/** Reads a conversation file. */
export function readConversation(file: string): Conversation {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const steps: Step[] = [];
  lines.forEach((text, index) => {
    if (text.startsWith('#') || text.trim() === '') return;
    const match = /^(C|S|connect|message): ?(.*)$/.exec(text) ?? /^(closed|starttls|hang up)()$/.exec(text);
    assert.ok(match, `${file}:${String(index + 1)}: not understood: ${text}`);
    steps.push({ line: index + 1, word: match[1] ?? '', text: match[2] ?? '' });
  });
  return { title: (lines[0] ?? file).replace(/^# ?/, ''), steps };
}

/** Plays it as the user `address`. Fails with the line of the file and both directions. */
export async function play(conversation: Conversation, server: TestServer, address: string): Promise<void> {
  const player = new Player(server, address);
  try {
    for (const [index, step] of conversation.steps.entries()) {
      try {
        await player.take(step, conversation.steps[index + 1]);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        throw new Error(`line ${String(step.line)} (${step.word}: ${step.text}): ${text}`, { cause: error });
      }
    }
  } finally {
    player.hangUp();
  }
}

class Player {
  readonly #server: TestServer;
  readonly #address: string;
  #connect = 'login';
  #dialogue: Dialogue | undefined;
  #unsent = '';
  #skipping = false;

  constructor(server: TestServer, address: string) {
    this.#server = server;
    this.#address = address;
  }

  async take(step: Step, next: Step | undefined): Promise<void> {
    switch (step.word) {
      case 'connect':
        this.#connect = step.text;
        return undefined;
      case 'message':
        return deliver(this.#server, this.#address, Buffer.from(step.text.replaceAll('\\r', '\r').replaceAll('\\n', '\n')));
      case 'C':
        return this.#say(step.text, next);
      case 'S':
        return this.#hear(step.text);
      case 'starttls':
        return (await this.#session()).startTls();
      case 'hang up':
        return this.hangUp();
      default:
        return (await this.#session()).closed();
    }
  }

  hangUp(): void {
    this.#dialogue?.close();
    this.#dialogue = undefined;
  }

  async #say(text: string, next: Step | undefined): Promise<void> {
    const dialogue = await this.#session();
    this.#unsent += `${text}\r\n`;
    if (next?.word === 'C') return;
    dialogue.sayRaw(Buffer.from(this.#unsent, 'utf8'));
    this.#unsent = '';
  }

  async #session(): Promise<Dialogue> {
    if (this.#dialogue !== undefined) return this.#dialogue;
    await inboxOf(this.#server, this.#address);
    const plain = this.#connect === 'plain';
    const port = plain ? this.#server.ports.plain : this.#server.ports.tls;
    this.#dialogue = await Dialogue.connect({ port, tls: plain ? 'none' : 'implicit' });
    if (this.#connect !== 'login') return this.#dialogue;
    await this.#dialogue.expect(/^\+OK/);
    this.#dialogue.sayRaw(`USER ${this.#address}\r\nPASS ${password}\r\n`);
    await this.#dialogue.expect(/^\+OK/);
    await this.#dialogue.expect(/^\+OK/);
    return this.#dialogue;
  }

  async #hear(text: string): Promise<void> {
    const dialogue = await this.#session();
    if (text === '...') {
      this.#skipping = true;
      return;
    }
    const source = text
      .split(/(\{any\}|\{number\})/)
      .map((piece) => {
        if (piece === '{any}') return '.*';
        return piece === '{number}' ? '\\d+' : piece.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
      })
      .join('');
    const pattern = new RegExp(`^${source}$`);
    await (this.#skipping ? dialogue.until(pattern) : dialogue.expect(pattern));
    this.#skipping = false;
  }
}
