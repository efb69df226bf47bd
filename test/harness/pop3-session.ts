/** A POP3 client for tests: one-line and multi-line replies, as they came. */
import assert from 'node:assert/strict';
import type { Cluster, NodeName } from './cluster.ts';
import { Dialogue } from './dialogue.ts';

export class Pop3Session {
  readonly dialogue: Dialogue;

  private constructor(dialogue: Dialogue) {
    this.dialogue = dialogue;
  }

  /** Connects and takes the greeting; on `pop3` continues over TLS by STLS. */
  static async connect(cluster: Cluster, node: NodeName, service: 'pop3' | 'pop3s' = 'pop3s'): Promise<Pop3Session> {
    const dialogue = await Dialogue.connect({ port: cluster.port(node, service), tls: service === 'pop3s' ? 'implicit' : 'none' });
    await dialogue.expect(/^\+OK /);
    if (service === 'pop3') {
      dialogue.say('STLS');
      await dialogue.expect(/^\+OK/);
      await dialogue.startTls();
    }
    return new Pop3Session(dialogue);
  }

  /** Connects and logs in with the demo's password. */
  static async logIn(cluster: Cluster, place: { readonly node: NodeName; readonly user: string; readonly service?: 'pop3' | 'pop3s' }): Promise<Pop3Session> {
    const session = await Pop3Session.connect(cluster, place.node, place.service);
    await session.ok(`USER ${place.user}`);
    await session.ok(`PASS ${cluster.password}`);
    return session;
  }

  /** Says a command; answers the first line of the reply. */
  async run(command: string): Promise<string> {
    this.dialogue.say(command);
    return this.dialogue.line();
  }

  async ok(command: string): Promise<string> {
    const line = await this.run(command);
    assert.match(line, /^\+OK/, `${command}: ${line}`);
    return line;
  }

  /** The lines of a multi-line reply, dots unstuffed. */
  async lines(command: string): Promise<string[]> {
    await this.ok(command);
    const lines: string[] = [];
    for (let line = await this.dialogue.line(); line !== '.'; line = await this.dialogue.line()) lines.push(line.replace(/^\./, ''));
    return lines;
  }

  /** RETR, byte for byte: what stands between the first line and the final dot, dots unstuffed. */
  async retrieve(number: number): Promise<Buffer> {
    await this.ok(`RETR ${String(number)}`);
    const bytes = (await this.dialogue.bytesUntil('\r\n.\r\n')).toString('latin1');
    return Buffer.from(bytes.slice(0, -3).replace(/^\.\./gm, '.'), 'latin1');
  }

  /** Numbers of the messages whose subject contains the word. */
  async find(word: string): Promise<number[]> {
    const numbers = (await this.lines('LIST')).map((line) => Number(line.split(' ')[0]));
    const found: number[] = [];
    for (const number of numbers) {
      const header = await this.lines(`TOP ${String(number)} 0`);
      if (header.some((line) => /^Subject:/i.test(line) && line.includes(word))) found.push(number);
    }
    return found;
  }

  close(): void {
    this.dialogue.close();
  }
}
