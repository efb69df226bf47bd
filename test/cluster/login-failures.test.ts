/** Back-ends that fail a login in every way: always a temporary answer, and the same session logs in when the back-end is back. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { sayAfter, startBadBackend } from '../harness/bad-backend.ts';
import type { BadBackend } from '../harness/bad-backend.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { Pop3Session } from '../harness/pop3-session.ts';

let cluster: Cluster;
let user: string;

before(async () => {
  cluster = await startCluster({
    nodes: ['be1', 'fe1'],
    changeConfig: (yaml) => yaml.replace('\nnodes:\n', `
frontends:
  services:
    imapProxy: { rwTimeoutSeconds: 2, maxAuthErrors: 2 }
    pop3Proxy: { rwTimeoutSeconds: 2, maxAuthErrors: 2 }

nodes:
`),
  });
  user = await addPerson(cluster, 'be1');
});
after(async () => cluster.stop());

interface Fault {
  readonly title: string;
  readonly imap: (socket: TLSSocket) => void;
  readonly pop3: (socket: TLSSocket) => void;
}

const garbage = Buffer.from(Array.from({ length: 2000 }, (_, at) => (at * 7919) % 256));

const faults: readonly Fault[] = [
  { title: 'closes at once', imap: (socket) => socket.end(), pop3: (socket) => socket.end() },
  { title: 'is reset', imap: (socket) => socket.destroy(), pop3: (socket) => socket.destroy() },
  { title: 'says nothing', imap: () => undefined, pop3: () => undefined },
  { title: 'greets and closes', imap: (socket) => socket.end('* OK hello\r\n'), pop3: (socket) => socket.end('+OK hello\r\n') },
  { title: 'greets and says nothing more', imap: (socket) => socket.write('* OK hello\r\n'), pop3: (socket) => socket.write('+OK hello\r\n') },
  { title: 'closes in the middle of the exchange', imap: (socket) => afterTwo(socket, '* OK hello\r\nF1 OK\r\n', 'cut'), pop3: (socket) => afterTwo(socket, '+OK hello\r\n+OK\r\n', 'cut') },
  { title: 'answers nonsense', imap: (socket) => socket.write(garbage), pop3: (socket) => socket.write(garbage) },
  { title: 'greets with nonsense', imap: (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'), pop3: (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n') },
  { title: 'talks without end', imap: (socket) => chatter(socket, '* OK hello\r\n'), pop3: (socket) => chatter(socket, '+OK') },
  { title: 'sends a line without end', imap: (socket) => socket.write(Buffer.alloc(200_000, 'x')), pop3: (socket) => socket.write(Buffer.alloc(200_000, 'x')) },
  { title: 'refuses EXTERNAL', imap: (socket) => afterTwo(socket, '* OK hello\r\nF1 OK\r\nF2 NO [AUTHENTICATIONFAILED] no such mechanism\r\n', 'stay'), pop3: (socket) => afterTwo(socket, '+OK hello\r\n+OK\r\n-ERR [AUTH] no such mechanism\r\n', 'stay') },
  { title: 'calls EXTERNAL bad', imap: (socket) => afterTwo(socket, '* OK hello\r\nF1 OK\r\nF2 BAD what?\r\n', 'stay'), pop3: (socket) => afterTwo(socket, '+OK hello\r\n+OK\r\n-ERR what?\r\n', 'stay') },
  { title: 'says goodbye', imap: (socket) => socket.write('* BYE [UNAVAILABLE] not now\r\n'), pop3: (socket) => socket.write('-ERR [SYS/TEMP] not now\r\n') },
  { title: 'refers to itself', imap: (socket) => afterTwo(socket, '* OK hello\r\nF1 OK\r\nF2 NO [REFERRAL imap://x@be1/] elsewhere\r\n', 'stay'), pop3: (socket) => afterTwo(socket, '+OK hello\r\n+OK\r\n-ERR referral be1 elsewhere\r\n', 'stay') },
  { title: 'refers to a node that nobody knows', imap: (socket) => afterTwo(socket, '* OK hello\r\nF1 OK\r\nF2 NO [REFERRAL imap://x@be9/] elsewhere\r\n', 'stay'), pop3: (socket) => afterTwo(socket, '+OK hello\r\n+OK\r\n-ERR referral be9 elsewhere\r\n', 'stay') },
];

/** The login comes in two lines and one flight. */
function afterTwo(socket: TLSSocket, words: string, then: 'cut' | 'stay'): void {
  sayAfter(socket, 2, () => {
    if (then === 'cut') socket.end(words);
    else socket.write(words);
  });
}

/** One line after the other, faster than any time limit for silence. */
function chatter(socket: TLSSocket, first: string): void {
  socket.write(first);
  const timer = setInterval(() => socket.write('* 1 EXISTS\r\n'), 50);
  socket.on('close', () => clearInterval(timer));
}

/** Ended after each test, however it went. */
let standing: readonly BadBackend[] = [];

async function inPlaceOfBe1(fault: Pick<Fault, 'imap' | 'pop3'>, certificateOf: 'be1' | 'be2'): Promise<readonly BadBackend[]> {
  const file = (suffix: string): string => join(cluster.folder, 'tls', `${certificateOf}${suffix}`);
  const files = { certificate: file('.pem'), key: file('-key.pem') };
  standing = await Promise.all((['imap', 'pop3'] as const).map(async (protocol) => startBadBackend({ ...files, port: cluster.port('be1', `${protocol}s`), behave: fault[protocol] })));
  return standing;
}

afterEach(async () => {
  await Promise.all(standing.map(async (one) => one.stop()));
  standing = [];
});

describe('one IMAP and one POP3 session through all faults of their back-end', () => {
  let imap: ImapSession;
  let pop3: Pop3Session;

  before(async () => {
    await cluster.kill('be1');
    imap = await ImapSession.connect(cluster, 'fe1');
    pop3 = await Pop3Session.connect(cluster, 'fe1');
  });

  for (const fault of faults) {
    test(`a back-end that ${fault.title}`, async () => {
      const bad = await inPlaceOfBe1(fault, 'be1');
      const [byImap, byPop3] = await Promise.all([imap.run(`LOGIN ${user} ${cluster.password}`), logInByPop3(pop3)]);
      assert.match(byImap.completion, /^NO \[UNAVAILABLE\] /);
      assert.match(byPop3, /^-ERR \[SYS\/TEMP\] /);
      assert.ok(bad.every(({ connections }) => connections > 0));
      await imap.ok('NOOP');
      await pop3.lines('CAPA');
    });
  }

  test('a server with the certificate of another node gets no login', async () => {
    const heard: Buffer[] = [];
    const listen = (socket: TLSSocket): void => void socket.on('data', (chunk: Buffer) => heard.push(chunk));
    await inPlaceOfBe1({ imap: listen, pop3: listen }, 'be2');
    assert.match((await imap.run(`LOGIN ${user} ${cluster.password}`)).completion, /^NO \[UNAVAILABLE\] /);
    assert.match(await logInByPop3(pop3), /^-ERR \[SYS\/TEMP\] /);
    assert.equal(Buffer.concat(heard).length, 0);
    await logLine(cluster, 'fe1', ['the server is backend be2 of', 'not node be1']);
  });

  test('what a back-end says in one breath with its OK comes after it', async () => {
    const welcome = { imap: (socket: TLSSocket) => afterTwo(socket, '* OK hello\r\nF1 OK\r\nF2 OK [CAPABILITY IMAP4rev1] welcome\r\n* OK [ALERT] the disk is full\r\n', 'stay'), pop3: () => undefined };
    await inPlaceOfBe1(welcome, 'be1');
    const early = await ImapSession.connect(cluster, 'fe1');
    await early.ok(`LOGIN ${user} ${cluster.password}`);
    await early.dialogue.expect(/^\* OK \[ALERT\] the disk is full$/);
    early.close();
  });

  test('nobody there at all', async () => {
    assert.match((await imap.run(`LOGIN ${user} ${cluster.password}`)).completion, /^NO \[UNAVAILABLE\] /);
    assert.match(await logInByPop3(pop3), /^-ERR \[SYS\/TEMP\] /);
  });

  test('the same sessions log in when the back-end is there again', async () => {
    await cluster.startNode('be1');
    await imap.ok(`LOGIN ${user} ${cluster.password}`);
    await imap.ok('SELECT INBOX');
    assert.match(await logInByPop3(pop3), /^\+OK/);
    imap.close();
    pop3.close();
  });
});

async function logInByPop3(pop3: Pop3Session): Promise<string> {
  await pop3.ok(`USER ${user}`);
  return pop3.run(`PASS ${cluster.password}`);
}

test('wrong passwords still count, and end the session', async () => {
  const imap = await ImapSession.connect(cluster, 'fe1', { from: '127.66.6.7' });
  for (let count = 0; count < 2; count += 1) assert.match((await imap.run(`LOGIN ${user} wrong`)).completion, /^NO \[AUTHENTICATIONFAILED\] /);
  await imap.dialogue.expect(/^\* BYE /);
  await imap.dialogue.closed();
});
