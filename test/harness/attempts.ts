/** One try of a client, by any protocol, and what the server's words mean to it. A login counts only if it shows the user's own mailbox. */
import { request as httpsRequest } from 'node:https';
import { Dialogue } from './dialogue.ts';

/** Where the services of front-ends are, by the demo's names: `imaps`, `pop3s`, `smtp`, `submissions`, `https`. */
export interface Doors {
  port(node: string, service: string): number;
}

export const logins = ['imap', 'pop3', 'submission', 'webmail'] as const;
export type Protocol = (typeof logins)[number] | 'mx';

/**
 * `ok`: done; `temporary`: try again later, in the protocol's own words for it; `refused`: wrong password or no such user;
 * `empty`: logged in, and the message that the user surely has is not there; `odd`: anything else.
 */
export type Outcome = 'ok' | 'temporary' | 'refused' | 'empty' | 'odd';

export interface Attempt {
  readonly protocol: Protocol;
  readonly node: string;
  readonly address: string;
  readonly password: string;
  /** Subject of the message that the mailbox has; of the one to send by `mx` and `submission`. */
  readonly subject: string;
  /** The client's own address. */
  readonly from: string;
}

export interface Result {
  readonly outcome: Outcome;
  readonly words: string;
  readonly tookMs: number;
  /** The longest that one answer took: what waits for a directory does so in one of them, while a busy machine delays all. */
  readonly longestWaitMs: number;
}

/** Longer than any answer may take. */
const patienceMs = 30_000;

export async function attempt(doors: Doors, what: Attempt): Promise<Result> {
  const startedAt = performance.now();
  const [outcome, words, longestWaitMs] = await runs[what.protocol](doors, what).catch((error: unknown): Told => ['odd', String(error)]);
  const tookMs = performance.now() - startedAt;
  return { outcome, words, tookMs, longestWaitMs: longestWaitMs ?? tookMs };
}

type Told = readonly [outcome: Outcome, words: string, longestWaitMs?: number];

const runs: Readonly<Record<Protocol, (doors: Doors, what: Attempt) => Promise<Told>>> = { imap, pop3, submission, webmail, mx };

async function talk(port: number, { from, tls }: { readonly from: string; readonly tls: 'implicit' | 'none' }, work: (dialogue: Dialogue) => Promise<Told>): Promise<Told> {
  const dialogue = await Dialogue.connect({ port, tls, from, patienceMs });
  try {
    const [outcome, words] = await work(dialogue);
    return [outcome, words, dialogue.longestWaitMs];
  } finally {
    dialogue.close();
  }
}

async function imap(doors: Doors, { node, address, password, subject, from }: Attempt): Promise<Told> {
  return talk(doors.port(node, 'imaps'), { from, tls: 'implicit' }, async (dialogue) => {
    await dialogue.expect(/^\* OK/);
    dialogue.say(`a LOGIN ${address} ${password}`);
    const [words = ''] = await dialogue.until(/^a .*/);
    if (words.startsWith('a NO [UNAVAILABLE] ')) return ['temporary', words];
    if (words.startsWith('a NO [AUTHENTICATIONFAILED] ')) return ['refused', words];
    if (!words.startsWith('a OK')) return ['odd', words];
    dialogue.say('b EXAMINE INBOX');
    await dialogue.until(/^b OK/);
    dialogue.say(`c UID SEARCH HEADER Subject ${subject}`);
    const [found = ''] = await dialogue.until(/^\* SEARCH.*/);
    return [found === '* SEARCH' ? 'empty' : 'ok', words];
  });
}

async function pop3(doors: Doors, { node, address, password, from }: Attempt): Promise<Told> {
  return talk(doors.port(node, 'pop3s'), { from, tls: 'implicit' }, async (dialogue) => {
    await dialogue.expect(/^\+OK/);
    dialogue.say(`USER ${address}`);
    await dialogue.expect(/^\+OK/);
    dialogue.say(`PASS ${password}`);
    const words = await dialogue.line();
    if (words.startsWith('-ERR [SYS/TEMP] ')) return ['temporary', words];
    if (words.startsWith('-ERR [AUTH] ')) return ['refused', words];
    // Another session of the same user has the maildrop (RFC 1939 section 8).
    if (words.startsWith('-ERR [IN-USE] ')) return ['ok', words];
    if (!words.startsWith('+OK')) return ['odd', words];
    dialogue.say('STAT');
    const [, count] = await dialogue.expect(/^\+OK (\d+)/);
    return [count === '0' ? 'empty' : 'ok', words];
  });
}

async function submission(doors: Doors, what: Attempt): Promise<Told> {
  const { node, address, password, from } = what;
  return talk(doors.port(node, 'submissions'), { from, tls: 'implicit' }, async (dialogue) => {
    await dialogue.reply(220);
    await dialogue.ask('EHLO client.example.net', 250);
    const [words = ''] = await dialogue.ask(`AUTH PLAIN ${Buffer.from(`\0${address}\0${password}`).toString('base64')}`, /^\d/);
    if (words.startsWith('454 4.7.0 ')) return ['temporary', words];
    if (words.startsWith('535 5.7.8 ')) return ['refused', words];
    return words.startsWith('235 ') ? send(dialogue, { ...what, sender: address }) : ['odd', words];
  });
}

async function mx(doors: Doors, what: Attempt): Promise<Told> {
  return talk(doors.port(what.node, 'smtp'), { from: what.from, tls: 'none' }, async (dialogue) => {
    await dialogue.reply(220);
    await dialogue.ask('EHLO client.example.net', 250);
    return send(dialogue, { ...what, sender: 'sender@example.net' });
  });
}

async function send(dialogue: Dialogue, { sender, address, subject }: Attempt & { readonly sender: string }): Promise<Told> {
  const steps = [`MAIL FROM:<${sender}>`, `RCPT TO:<${address}>`, 'DATA', `From: <${sender}>\r\nTo: <${address}>\r\nSubject: ${subject}\r\n\r\nHello.\r\n.`];
  let words = '';
  for (const step of steps) {
    words = (await dialogue.ask(step, /^\d/)).at(-1) ?? '';
    if (words.startsWith('451 4.4.3 ')) return ['temporary', words];
    if (words.startsWith('550 5.1.1 ')) return ['refused', words];
    if (!/^[23]/.test(words)) return ['odd', words];
  }
  await dialogue.ask('QUIT', 221);
  return ['ok', words];
}

async function webmail(doors: Doors, { node, address, password, from }: Attempt): Promise<Told> {
  const port = doors.port(node, 'https');
  let longestWaitMs = 0;
  const ask = async (path: string, options: { readonly cookie?: string; readonly body?: string }): Promise<{ readonly status: number; readonly cookie: string; readonly text: string; readonly wait: string | undefined }> => {
    const begunMs = performance.now();
    return new Promise<Awaited<ReturnType<typeof ask>>>((resolve, reject) => {
      const { cookie = '', body } = options;
      const sent = httpsRequest({
        host: '127.0.0.1', port, path, localAddress: from, agent: false, rejectUnauthorized: false, timeout: patienceMs, method: body === undefined ? 'GET' : 'POST',
        headers: { 'waybill-request': 'user', cookie, ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }) },
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.on('error', reject);
      sent.on('response', (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => { text += piece; });
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, wait: answer.headers['retry-after'], cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' }));
      });
      sent.end(body);
    }).finally(() => { longestWaitMs = Math.max(longestWaitMs, performance.now() - begunMs); });
  };
  const signIn = await ask('/api/sign-in', { body: JSON.stringify({ name: address, password }) });
  const words = `${String(signIn.status)} ${signIn.text}`;
  if (signIn.status === 503 && signIn.wait !== undefined) return ['temporary', words];
  if (signIn.status === 401) return ['refused', words];
  if (signIn.status !== 200) return ['odd', words];
  const list = await ask('/api/mailboxes', { cookie: signIn.cookie });
  const told = `${String(list.status)} ${list.text.slice(0, 200)}`;
  return list.status === 200 ? [/"role":"inbox","messages":0,/.test(list.text) ? 'empty' : 'ok', told, longestWaitMs] : ['odd', told];
}
