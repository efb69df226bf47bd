/** An SMTP client for tests: a transaction step by step, with every reply to look at. */
import type { Cluster, NodeName } from './cluster.ts';
import { Dialogue } from './dialogue.ts';

export type SmtpService = 'smtp' | 'submission' | 'submissions';

export interface Letter {
  readonly from: string;
  readonly to: readonly string[];
  readonly bytes: Buffer;
}

export class SmtpSession {
  readonly dialogue: Dialogue;

  private constructor(dialogue: Dialogue) {
    this.dialogue = dialogue;
  }

  /** Connects, greets, and is under TLS on the submission ports. */
  static async connect(cluster: Cluster, node: NodeName, service: SmtpService = 'smtp'): Promise<SmtpSession> {
    const dialogue = await Dialogue.connect({ port: cluster.port(node, service), tls: service === 'submissions' ? 'implicit' : 'none' });
    await dialogue.reply(220);
    await dialogue.ask('EHLO client.example.net', 250);
    if (service === 'submission') {
      await dialogue.ask('STARTTLS', 220);
      await dialogue.startTls();
      await dialogue.ask('EHLO client.example.net', 250);
    }
    return new SmtpSession(dialogue);
  }

  /** AUTH with the demo's password; answers the reply. */
  async authenticate(user: string, password: string, mechanism: 'PLAIN' | 'LOGIN' = 'PLAIN'): Promise<string> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    if (mechanism === 'PLAIN') return this.say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`);
    await this.dialogue.ask('AUTH LOGIN', 334);
    await this.dialogue.ask(base64(user), 334);
    return this.say(base64(password));
  }

  /** A line and the last line of its reply, whatever it is. */
  async say(line: string): Promise<string> {
    const reply = await this.dialogue.ask(line, /^\d{3} /);
    return reply.at(-1) ?? '';
  }

  /** A whole transaction; answers the first refusal, or the reply after the final dot. */
  async send(letter: Letter): Promise<string> {
    const steps = [`MAIL FROM:<${letter.from}>`, ...letter.to.map((address) => `RCPT TO:<${address}>`), 'DATA'];
    for (const step of steps) {
      const reply = await this.say(step);
      if (!/^[23]/.test(reply)) return reply;
    }
    return this.sayMessage(letter.bytes);
  }

  /** The message after 354, dots stuffed, and the final dot; answers the last line of the reply. */
  async sayMessage(bytes: Buffer): Promise<string> {
    const stuffed = bytes.toString('latin1').replace(/^\./gm, '..');
    this.dialogue.sayRaw(Buffer.from(`${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1'));
    const reply = await this.dialogue.reply(/^\d{3} /);
    return reply.at(-1) ?? '';
  }

  async quit(): Promise<void> {
    await this.dialogue.ask('QUIT', 221);
    this.dialogue.close();
  }

  close(): void {
    this.dialogue.close();
  }
}

/** One message in a session of its own; answers the reply that decided. */
export async function deliver(cluster: Cluster, node: NodeName, letter: Letter): Promise<string> {
  const session = await SmtpSession.connect(cluster, node);
  try {
    const reply = await session.send(letter);
    await session.quit();
    return reply;
  } finally {
    session.close();
  }
}
