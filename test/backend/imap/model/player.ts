/** A session on the wire: says a command, reads what comes up to its completion. Whatever was said is kept for the one who has to find a fault. */
import assert from 'node:assert/strict';
import { Dialogue } from '../../../harness/dialogue.ts';
import { KnownAnnotations } from './annotation-model.ts';
import type { AccountModel } from './mailbox-model.ts';
import type { Worker } from './recent-model.ts';
import { readResponse } from './responses.ts';
import type { Piece, Response } from './responses.ts';
import { SessionModel } from './session-model.ts';

export interface Answer {
  readonly responses: readonly Response[];
  readonly status: 'OK' | 'NO' | 'BAD' | 'BYE';
  readonly code: string | undefined;
}

export interface Entrance {
  readonly port: number;
  readonly address: string;
  readonly password: string;
  readonly enables: string | undefined;
  /** The user's own. */
  readonly account: AccountModel;
  readonly home: Home;
  /** Which of the owner's node serves him, where he is there. */
  readonly worker: Worker;
}

/** Where the user lives: the owner of what is shared, or a guest. */
export type Home = 'owner' | 'on the node of the owner' | 'on another node';

const longestLineShown = 200;

export class Player {
  model: SessionModel;
  readonly #entrance: Entrance;
  readonly #log: (line: string) => void;
  #dialogue: Dialogue | undefined;
  #tag = 0;

  constructor(name: string, entrance: Entrance, log: (line: string) => void) {
    this.model = new SessionModel(name, entrance.worker);
    this.#entrance = entrance;
    this.#log = log;
  }

  /** Connects, or connects anew: nothing of an earlier session is left but what its client remembers. */
  async enter(): Promise<void> {
    const { port, address, password, enables, worker } = this.#entrance;
    const { name, memories } = this.model;
    this.close();
    this.model = new SessionModel(name, worker);
    this.model.memories.push(...memories);
    this.#dialogue = await Dialogue.connect({ port, tls: 'implicit' });
    await this.#dialogue.expect(/^\* OK /);
    await this.ask(`LOGIN ${address} "${password}"`);
    if (enables === undefined) return;
    await this.ask(`ENABLE ${enables}`);
    this.model.condstore = 'on';
    if (enables.includes('QRESYNC')) this.model.qresync = 'on';
    if (enables.includes('METADATA')) this.model.annotations = new KnownAnnotations(this.#entrance.account);
  }

  get address(): string {
    return this.#entrance.address;
  }

  get home(): Home {
    return this.#entrance.home;
  }

  /** Whether the open mailbox is on another node. */
  get isFromOutside(): boolean {
    return this.home === 'on another node' && this.model.view !== undefined && this.model.view.mailbox.home !== this.own;
  }

  get own(): AccountModel {
    return this.#entrance.account;
  }

  /** Of the command that is said next. */
  get nextTag(): string {
    return `t${String(this.#tag + 1)}`;
  }

  async ask(command: string): Promise<Answer> {
    this.say(command);
    return this.answer();
  }

  say(command: string): void {
    this.#tag += 1;
    this.sayLine(`t${String(this.#tag)} ${command}`);
  }

  sayLine(line: string): void {
    this.#log(`C${this.model.name}: ${line.replace(/\r\n[^]*$/, ' …').slice(0, longestLineShown)}`);
    this.#wire.say(line);
  }

  /** Up to the completion of what was said last, or BYE. */
  async answer(): Promise<Answer> {
    const responses: Response[] = [];
    for (;;) {
      const line = await this.#line();
      const completion = new RegExp(`^t${String(this.#tag)} (OK|NO|BAD)(?: \\[([^\\]]*)\\])?`).exec(line);
      if (completion !== null) return { responses, status: completion[1] as Answer['status'], code: completion[2] };
      const response = await this.#read(line);
      if (response.kind === 'bye') return { responses, status: 'BYE', code: undefined };
      responses.push(response);
    }
  }

  /** The next response, whenever it comes. */
  async response(): Promise<Response> {
    return this.#read(await this.#line());
  }

  async invited(): Promise<void> {
    const line = await this.#line();
    assert.ok(line.startsWith('+ '), line);
  }

  close(): void {
    this.#dialogue?.close();
  }

  get #wire(): Dialogue {
    if (this.#dialogue === undefined) throw new Error('not connected');
    return this.#dialogue;
  }

  async #read(first: string): Promise<Response> {
    const pieces: Piece[] = [first];
    for (let announced = /\{(\d+)\}$/.exec(first); announced !== null;) {
      pieces.push({ literal: (await this.#wire.bytes(Number(announced[1]))).toString('latin1') });
      const rest = await this.#line();
      pieces.push(rest);
      announced = /\{(\d+)\}$/.exec(rest);
    }
    return readResponse(pieces);
  }

  async #line(): Promise<string> {
    const line = await this.#wire.line();
    this.#log(`S${this.model.name}: ${line.slice(0, longestLineShown)}`);
    return line;
  }
}
