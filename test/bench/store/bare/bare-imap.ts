/** A connection of IMAP to the bare server: LOGIN, SELECT, APPEND and STORE, one after the other, in the words in which the bench gives them. */
import type { Socket } from 'node:net';
import type { BareMailbox } from './bare-mailboxes.ts';
import { uidValidity } from './bare-mailboxes.ts';
import type { RecordBatches } from './record-batches.ts';

/** What all connections of a process share. */
export interface BareState {
  readonly records: RecordBatches;
  mailbox(user: string, name: string): BareMailbox;
}

const lineFeed = 0x0a;
const literalEnd = /\{(\d+)(\+?)\}\r\n$/;
const storeWords = /^STORE (\d+)(?::(\d+|\*))? ([+-])FLAGS(\.SILENT)? \((\\\w+)\)\r\n$/;

export class BareImap {
  readonly #socket: Socket;
  readonly #state: BareState;
  #user = '';
  #selected: { readonly name: string; readonly mailbox: BareMailbox } | undefined;
  /** A line that has not ended. */
  #begun: Buffer | undefined;
  /** The command so far, without its literals. */
  #text = '';
  #literal: Buffer[] = [];
  #literalLeft = 0;

  constructor(socket: Socket, state: BareState) {
    this.#socket = socket;
    this.#state = state;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', () => socket.destroy());
    socket.write('* OK ready\r\n');
  }

  /** Finds the ends of lines and literals. */
  #take(data: Buffer): void {
    for (let at = 0; at < data.length;) {
      if (this.#literalLeft > 0) {
        const piece = data.subarray(at, at + this.#literalLeft);
        this.#literal.push(piece);
        this.#literalLeft -= piece.length;
        at += piece.length;
        continue;
      }
      const end = data.indexOf(lineFeed, at) + 1;
      const piece = data.subarray(at, end === 0 ? data.length : end);
      this.#begun = this.#begun === undefined ? piece : Buffer.concat([this.#begun, piece]);
      at += piece.length;
      if (end > 0) this.#lineIsHere(this.#begun);
    }
  }

  #lineIsHere(line: Buffer): void {
    this.#begun = undefined;
    this.#text += line.toString('latin1');
    const literal = literalEnd.exec(this.#text);
    if (literal !== null) {
      this.#literalLeft = Number(literal[1]);
      if (literal[2] === '') this.#socket.write('+ go on\r\n');
      return;
    }
    const [text, message] = [this.#text, this.#literal];
    [this.#text, this.#literal] = ['', []];
    const space = text.indexOf(' ');
    this.#do(text.slice(0, space), text.slice(space + 1), message);
  }

  #do(tag: string, command: string, message: readonly Buffer[]): void {
    const [name = '', first = ''] = command.trimEnd().split(' ', 2);
    if (name === 'APPEND') return this.#append(tag, first, message);
    if (name === 'STORE') return this.#store(tag, command);
    if (name === 'LOGIN') this.#user = first;
    else if (name === 'SELECT') this.#selected = { name: first, mailbox: this.#state.mailbox(this.#user, first) };
    else return this.#answer(`${tag} BAD ${name} is not known\r\n`);
    return this.#answer(`${name === 'SELECT' ? this.#selected?.mailbox.lines ?? '' : ''}${tag} OK done\r\n`);
  }

  #append(tag: string, name: string, message: readonly Buffer[]): void {
    const uid = this.#state.mailbox(this.#user, name).add();
    const size = message.reduce((sum, { length }) => sum + length, 0);
    this.#state.records.add({
      key: [this.#user, name, String(uid)], text: `APPEND ${this.#user} ${name} ${String(uid)} ${String(Date.now())} ${String(size)}\n`, message,
      told: () => this.#answer(`${tag} OK [APPENDUID ${String(uidValidity)} ${String(uid)}] done\r\n`),
    });
  }

  #store(tag: string, command: string): void {
    const [, from = '', to, sign, silent, flag = ''] = storeWords.exec(command) ?? [];
    if (this.#selected === undefined || from === '') return this.#answer(`${tag} BAD no mailbox, or words that are not known\r\n`);
    const { name, mailbox } = this.#selected;
    const change = { first: Number(from), last: to === '*' ? mailbox.messages : Number(to ?? from), sign: sign === '+' ? sign : '-', flag } as const;
    mailbox.change(change);
    return this.#state.records.add({
      key: [this.#user, name, 'flags', String(change.first)], text: `STORE ${this.#user} ${name} ${String(change.first)} ${String(change.last)} ${change.sign}${flag}\n`, message: [],
      told: () => this.#answer(`${silent === undefined ? mailbox.fetchLines(change) : ''}${tag} OK done\r\n`),
    });
  }

  #answer(text: string): void {
    this.#socket.write(text, 'latin1');
  }
}
