/** Clients that send mail for a while, and what comes out: messages a second, and the processor time of each part per message. */
import { connect } from 'node:net';
import { quantile } from '../proxy/cells.ts';
import type { Figures } from '../proxy/cells.ts';
import { Talk } from '../proxy/client.ts';
import { cpuMs } from '../proxy/processes.ts';

/** A server of mail, as the client sees it. */
export interface MailServer {
  readonly name: string;
  readonly port: number;
  /** Its parts, by what they are called: processes that work for a part are these or have one of these for an ancestor. */
  readonly parts: Readonly<Record<string, readonly number[]>>;
  /** Resolves when nothing is under way any more: what was taken is in the mailboxes. */
  settled(): Promise<void>;
}

export interface SendingCell {
  readonly seconds: number;
  readonly connections: number;
  readonly messagesPerSession: number;
  /** Recipients of the n-th message. */
  readonly recipients: (turn: number) => readonly string[];
  readonly messageBytes: number;
}

/** Sends over so many connections at once; time and processor time count until the last message is delivered. */
export async function measureSending(server: MailServer, cell: SendingCell): Promise<Figures> {
  const durations: number[] = [];
  const before = cpuOf(server);
  const start = performance.now();
  const end = start + cell.seconds * 1000;
  let turn = 0;
  await Promise.all(Array.from({ length: cell.connections }, async () => {
    while (performance.now() < end) {
      const talk = await open(server.port);
      for (let count = 0; count < cell.messagesPerSession && performance.now() < end; count += 1) {
        const began = performance.now();
        turn += 1;
        await sendOne(talk, cell, turn);
        durations.push(performance.now() - began);
      }
      await talk.say('QUIT\r\n', '221');
      talk.end();
    }
  }));
  const taken = (performance.now() - start) / 1000;
  await server.settled();
  const after = cpuOf(server);
  const parts = Object.entries(after).map(([name, ms]): [string, number] => [`${name} CPU ms/message`, (ms - (before[name] ?? 0)) / durations.length]);
  return {
    'messages/s': durations.length / taken, 'p50 ms': quantile(durations, 0.5), 'p99 ms': quantile(durations, 0.99),
    'delivered/s': durations.length / ((performance.now() - start) / 1000),
    ...Object.fromEntries(parts), 'CPU ms/message': parts.reduce((total, [, ms]) => total + ms, 0),
  };
}

async function open(port: number): Promise<Talk> {
  const talk = new Talk(connect(port, '127.0.0.1'));
  await talk.hear('220 ');
  await talk.say('EHLO client.example.net\r\n', '250 ');
  return talk;
}

async function sendOne(talk: Talk, cell: SendingCell, turn: number): Promise<void> {
  await talk.say('MAIL FROM:<sender@example.net>\r\n', '250 ');
  for (const recipient of cell.recipients(turn)) await talk.say(`RCPT TO:<${recipient}>\r\n`, '250 ');
  await talk.say('DATA\r\n', '354 ');
  await talk.say(`${messageOf(turn, cell.messageBytes)}\r\n.\r\n`, '250 ');
}

const line = 'A line of a message, as long as lines of messages usually are, seventy-six.\r\n';

/** Each message is another, or it would be taken for a retry. */
function messageOf(turn: number, bytes: number): string {
  const header = `From: sender@example.net\r\nTo: somebody@example.com\r\nSubject: message ${String(turn)}\r\nMessage-ID: <${String(process.pid)}.${String(performance.now())}.${String(turn)}@example.net>\r\n\r\n`;
  return header + line.repeat(Math.max(1, Math.round((bytes - header.length) / line.length)));
}

function cpuOf({ parts }: MailServer): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(parts).map(([name, pids]) => [name, cpuMs(pids)]));
}
