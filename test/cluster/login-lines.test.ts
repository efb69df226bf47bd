/** The lines around a login, as clients may send them: in one segment, byte by byte, in literals, malformed; and what proxies in front of us tell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson, guesser } from '../harness/demo-people.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { logLine } from '../harness/log-lines.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';

const proxyInFront = '127.0.0.55';
let cluster: Cluster;
let user: string;

before(async () => {
  cluster = await startCluster({
    nodes: ['be1', 'fe1'],
    changeConfig: (yaml) => yaml.replace('\nnodes:\n', `
frontends: { trustedProxies: [${proxyInFront}] }
backends: { log: { level: protocol } }

nodes:
`),
  });
  user = await addPerson(cluster, 'be1');
});
after(async () => cluster.stop());

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const plain = (name = user): string => base64(`\0${name}\0${cluster.password}`);

async function connect(service: 'imaps' | 'pop3s', from?: string): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: cluster.port('fe1', service), tls: 'implicit', ...(from === undefined ? {} : { from }) });
  await dialogue.expect(service === 'imaps' ? /^\* OK / : /^\+OK/);
  return dialogue;
}

/** All in one write, then the tagged answers (of POP3: all) in this order. */
async function inOneSegment(dialogue: Dialogue, bytes: string, answers: readonly RegExp[]): Promise<void> {
  dialogue.sayRaw(bytes);
  for (const answer of answers) await dialogue.until(answer);
  dialogue.close();
}

describe('IMAP: commands sent together with the login', () => {
  const mailbox = `b SELECT INBOX\r\nc APPEND INBOX {6+}\r\na: b\r\n\r\nd NOOP\r\n`;
  const answers = [/^a OK \[CAPABILITY /, /^b OK \[READ-WRITE\]/, /^c OK \[APPENDUID /, /^d OK /];
  const logins: Record<string, () => string> = {
    'LOGIN': () => `a LOGIN ${user} ${cluster.password}\r\n`,
    'LOGIN in quoted strings': () => `a LOGIN "${user}" "${cluster.password}"\r\n`,
    'LOGIN in literals that do not wait': () => `a LOGIN {${String(user.length)}+}\r\n${user} {${String(cluster.password.length)}+}\r\n${cluster.password}\r\n`,
    'AUTHENTICATE with initial response': () => `a AUTHENTICATE PLAIN ${plain()}\r\n`,
    'AUTHENTICATE, its response sent ahead': () => `a AUTHENTICATE PLAIN\r\n${plain()}\r\n`,
    'AUTHENTICATE LOGIN, its responses sent ahead': () => `a AUTHENTICATE LOGIN\r\n${base64(user)}\r\n${base64(cluster.password)}\r\n`,
  };
  for (const [title, login] of Object.entries(logins)) {
    test(`${title}: all are answered, in their order`, async () => inOneSegment(await connect('imaps'), login() + mailbox, answers));
  }

  test('byte by byte it is the same', async () => {
    const dialogue = await connect('imaps');
    for (const byte of `a LOGIN {${String(user.length)}+}\r\n${user} ${cluster.password}\r\n${mailbox}`) {
      dialogue.sayRaw(byte);
      await sleep(1);
    }
    for (const answer of answers) await dialogue.until(answer);
    dialogue.close();
  });

  test('after a login that failed they are commands before login, and the next login is one', async () => {
    await inOneSegment(await connect('imaps', guesser), `a LOGIN ${user} wrong\r\nb SELECT INBOX\r\nc AUTHENTICATE PLAIN ${plain()}\r\nd NOOP\r\n`, [/^a NO \[AUTHENTICATIONFAILED\]/, /^b BAD /, /^c OK /, /^d OK /]);
  });

  test('a message of a megabyte sent behind the login arrives whole', async () => {
    const message = `Subject: big\r\n\r\n${'0123456789abcdef'.repeat(65_536)}`;
    await inOneSegment(await connect('imaps'), `a LOGIN ${user} ${cluster.password}\r\nb APPEND INBOX {${String(message.length)}+}\r\n${message}\r\nc SELECT INBOX\r\nd UID SEARCH LARGER 1000000\r\n`, [/^a OK /, /^b OK /, /^c OK /, /^\* SEARCH \d+$/, /^d OK /]);
  });
});

describe('IMAP: literals and strings', () => {
  test('a literal that waits is invited, also where the name is not ASCII', async () => {
    const dialogue = await connect('imaps', guesser);
    const name = Buffer.from('jörg€');
    dialogue.say(`a LOGIN {${String(name.length)}}`);
    await dialogue.expect(/^\+ /);
    dialogue.sayRaw(Buffer.concat([name, Buffer.from(` {${String(cluster.password.length)}}\r\n`)]));
    await dialogue.expect(/^\+ /);
    dialogue.say(cluster.password);
    await dialogue.expect(/^a NO \[AUTHENTICATIONFAILED\]/);
    dialogue.close();
  });

  const cases: readonly (readonly [string, string | Buffer, readonly RegExp[]])[] = [
    ['a name that is not UTF-8', Buffer.from('a LOGIN {2+}\r\n\xff\xfe x\r\n', 'latin1'), [/^a BAD /]],
    ['no kind of literal that there is (RFC 7888 has + only)', 'a LOGIN {5-}\r\n', [/^a BAD /]],
    ['a literal behind a command that takes none', 'a NOOP {3+}\r\nabc\r\n', [/^a BAD /]],
    ['a literal in the place of the verb', 'a {4+}\r\nNOOP\r\n', [/^a BAD /]],
    ['a literal with a NUL', 'a LOGIN {3+}\r\na\0b x\r\n', [/^a BAD .*NUL/]],
    ['a quoted string that is not closed', 'a LOGIN "alice x\r\n', [/^a BAD /]],
    ['a backslash before what needs none', 'a LOGIN "al\\ice" x\r\n', [/^a BAD /]],
    ['too many arguments', 'a LOGIN x y z\r\n', [/^a BAD /]],
    ['no initial response but =', 'a AUTHENTICATE PLAIN =\r\n', [/^a BAD /]],
    ['an initial response that is no base64', 'a AUTHENTICATE PLAIN !!!!\r\n', [/^a BAD /]],
    ['cancelling', 'a AUTHENTICATE PLAIN\r\n*\r\n', [/^\+ $/, /^a BAD .*cancelled/]],
    ['an unknown mechanism', 'a AUTHENTICATE X-MAGIC\r\n', [/^a NO \[CANNOT\] .*PLAIN/]],
    ['more fields in ID than allowed', `a ID (${'"n" "v" "m" "v" '.repeat(16).trim()} ${Array.from({ length: 31 }, (_, at) => `"k${String(at)}" "v"`).join(' ')})\r\n`, [/^a BAD ID holds too much/]],
  ];
  for (const [title, bytes, answers] of cases) {
    test(`${title}: a clear answer, and the session goes on`, async () => {
      const dialogue = await connect('imaps', guesser);
      dialogue.sayRaw(bytes);
      for (const answer of answers) await dialogue.expect(answer);
      dialogue.say(`z LOGIN ${user} ${cluster.password}`);
      await dialogue.expect(/^z OK /);
      dialogue.close();
    });
  }

  test('too many bad commands end the session', async () => {
    const dialogue = await connect('imaps');
    dialogue.sayRaw('a XYZZY\r\n'.repeat(11));
    for (let count = 0; count < 11; count += 1) await dialogue.expect(/^a BAD /);
    await dialogue.expect(/^\* BYE /);
    await dialogue.closed();
  });
});

describe('POP3: commands sent together with the login', () => {
  const logins: Record<string, () => readonly [string, ...RegExp[]]> = {
    'USER and PASS': () => [`USER ${user}\r\nPASS ${cluster.password}\r\n`, /^\+OK/, /^\+OK/],
    'AUTH with initial response': () => [`AUTH PLAIN ${plain()}\r\n`, /^\+OK/],
    'AUTH, its response sent ahead': () => [`AUTH PLAIN\r\n${plain()}\r\n`, /^\+ $/, /^\+OK/],
  };
  for (const [title, login] of Object.entries(logins)) {
    test(`${title}: all are answered, in their order`, async () => {
      const [bytes, ...answers] = login();
      await inOneSegment(await connect('pop3s'), `${bytes}STAT\r\nXYZZY\r\nQUIT\r\n`, [...answers, /^\+OK \d+ \d+$/, /^-ERR/, /^\+OK/]);
    });
  }

  test('after a login that failed they are commands before login, and the next login is one', async () => {
    const bytes = `USER ${user}\r\nPASS wrong\r\nSTAT\r\nAUTH PLAIN =\r\nAUTH PLAIN\r\n*\r\nUSER ${user}\r\nPASS ${cluster.password}\r\nNOOP\r\n`;
    await inOneSegment(await connect('pop3s', guesser), bytes, [/^\+OK/, /^-ERR \[AUTH\]/, /^-ERR unknown command/, /^-ERR /, /^\+ $/, /^-ERR .*cancelled/, /^\+OK now/, /^\+OK maildrop/, /^\+OK/]);
  });
});

describe('who the client is', () => {
  test('its own words go to the back-end, what it says of addresses does not', async () => {
    const dialogue = await connect('imaps', '127.0.0.44');
    dialogue.say('a ID ("name" "Mutter \\"7\\"" "version" NIL "x-originating-ip" "192.0.2.99" "x-session-id" "forged" "os" {3+}');
    dialogue.say('abc)');
    await dialogue.until(/^a OK/);
    dialogue.say(`b LOGIN ${user} ${cluster.password}`);
    await dialogue.expect(/^b OK/);
    const words = await logLine(cluster, 'be1', ['client names itself', 'Mutter']);
    assert.deepEqual((JSON.parse(words) as { clientId: unknown }).clientId, { name: 'Mutter "7"', os: 'abc' });
    const line = await logLine(cluster, 'be1', ['"logged in"', user, '"client":"127.0.0.44"']);
    assert.doesNotMatch(line, /forged/);
    dialogue.close();
  });

  test('a long ID is passed on as far as a back-end has to take it', async () => {
    const dialogue = await connect('imaps');
    dialogue.say(`a ID (${Array.from({ length: 7 }, (_, at) => `"k${String(at)}" "${'v'.repeat(1000)}"`).join(' ')})`);
    await dialogue.until(/^a OK/);
    dialogue.say(`b LOGIN ${user} ${cluster.password}`);
    await dialogue.expect(/^b OK/);
    const { clientId } = JSON.parse(await logLine(cluster, 'be1', ['client names itself', '"k0"'])) as { clientId: object };
    assert.deepEqual(Object.keys(clientId), ['k0', 'k1']);
    dialogue.close();
  });

  test('a proxy that the configuration names is believed: the back-end\'s log and the list of sessions have its client', async () => {
    const dialogue = await connect('imaps', proxyInFront);
    dialogue.say('a ID ("x-originating-ip" "2001:db8::7" "x-originating-port" "4711" "x-session-id" "fTkqSJ4Z5oHA+/=" "x-proxy-ttl" "4" "name" "Outlook")');
    await dialogue.until(/^a OK/);
    dialogue.say(`b LOGIN ${user} ${cluster.password}`);
    await dialogue.expect(/^b OK/);
    await logLine(cluster, 'be1', ['"logged in"', '"client":"2001:db8::7"', '"session":"fTkqSJ4Z5oHA+/="']);
    await logLine(cluster, 'fe1', ['"logged in"', '"client":"2001:db8::7"', '"session":"fTkqSJ4Z5oHA+/="']);
    const { output } = await run(process.execPath, ['--disable-warning=DEP0060', programFile, 'session', 'list', '--address', '2001:db8::/32', '--json', '--config', cluster.configFile]);
    assert.deepEqual((JSON.parse(output) as { sessions: { account: string; session: string }[] }).sessions.map(({ account, session }) => [account, session]), [[`${user}@example.com`, 'fTkqSJ4Z5oHA+/=']]);
    dialogue.close();
  });

  test('so it is by POP3, and what is no address is refused', async () => {
    const dialogue = await connect('pop3s', proxyInFront);
    dialogue.say('XCLIENT ADDR=example.com');
    await dialogue.expect(/^-ERR/);
    dialogue.say('XCLIENT ADDR=192.0.2.77 PORT=99 SESSION=abc77 TTL=4');
    await dialogue.expect(/^\+OK/);
    dialogue.sayRaw(`USER ${user}\r\nPASS ${cluster.password}\r\n`);
    await dialogue.expect(/^\+OK/);
    await dialogue.expect(/^\+OK/);
    await logLine(cluster, 'be1', ['"logged in"', '"client":"192.0.2.77"', '"session":"abc77"']);
    dialogue.close();
    const stranger = await connect('pop3s', '127.0.0.56');
    stranger.sayRaw(`XCLIENT ADDR=192.0.2.78 SESSION=abc78\r\nUSER ${user}\r\nPASS ${cluster.password}\r\n`);
    for (let count = 0; count < 3; count += 1) await stranger.expect(/^\+OK/);
    await logLine(cluster, 'be1', ['"logged in"', '"client":"127.0.0.56"']);
    assert.doesNotMatch(cluster.log('be1'), /abc78/);
    stranger.close();
  });
});
