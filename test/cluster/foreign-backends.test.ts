/** Users whose mailHost is a Dovecot, next to users of be1 and be2: by their own password, and by a master user; the client told by ID and XCLIENT, and by PROXY headers. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attempt } from '../harness/attempts.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { startDovecot } from '../harness/dovecot.ts';
import type { Dovecot } from '../harness/dovecot.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession } from '../harness/smtp-session.ts';

const client = '127.0.0.57';
const master = { user: 'boss', password: 'boss-password' } as const;

interface Manner {
  readonly title: string;
  readonly tls: 'implicit' | 'starttls';
  readonly masterUser?: string;
  /** How Dovecot hears of the client; by ID and XCLIENT, which it believes then, when absent. */
  readonly proxyProtocol?: 'v1' | 'v2';
  /** The password at Dovecot; the directory's own is the demo's. */
  readonly password: string | undefined;
  /** What Dovecot logs of the login. */
  readonly logged: (user: string) => string;
}

const manners: readonly Manner[] = [
  { title: 'pass-through, TLS from the first byte', tls: 'implicit', password: undefined, logged: (user) => `Login: user=<${user}@example.com>` },
  { title: 'pass-through, STARTTLS, PROXY version 1', tls: 'starttls', proxyProtocol: 'v1', password: undefined, logged: (user) => `Login: user=<${user}@example.com>` },
  { title: 'master user by authorisation id, PROXY version 2', tls: 'implicit', proxyProtocol: 'v2', masterUser: '', password: 'another one', logged: (user) => `Login: user=<${user}@example.com>` },
  { title: 'master user in the name', tls: 'starttls', masterUser: ', separator: "*"', password: 'another one', logged: (user) => `Login: user=<${user}@example.com>` },
];

for (const manner of manners) {
  describe(`Dovecot as a back-end: ${manner.title}`, () => {
    let cluster: Cluster;
    let dovecot: Dovecot;

    before(async () => {
      cluster = await startCluster({ nodes: [] });
      dovecot = await startDovecot({
        certificate: join(cluster.folder, 'tls', 'server.pem'), key: join(cluster.folder, 'tls', 'server-key.pem'),
        password: manner.password ?? cluster.password, master,
        ...(manner.proxyProtocol === undefined ? { trustedNetworks: '127.0.0.1/32' } : { trustedNetworks: '', behindProxy: 'yes' }),
      });
      configure(cluster, dovecot, manner);
      await Promise.all((['be1', 'fe1'] as const).map(async (node) => cluster.startNode(node)));
    });
    after(async () => {
      await cluster.stop();
      await dovecot.stop();
    });

    /** Dovecot's log has the login, and whose connection it is. */
    async function loggedIn(protocol: 'imap' | 'pop3', user: string): Promise<void> {
      const found = (): boolean => dovecot.log().split('\n').some((line) => line.includes(`${protocol}-login: Info: ${manner.logged(user)}`) && line.includes(`rip=${client},`));
      await waitFor(found, () => dovecot.log());
    }

    test('IMAP: the user reads there, with Dovecot\'s capabilities; Dovecot knows the client', async () => {
      const user = await addPerson(cluster, 'localhost');
      const imap = await ImapSession.connect(cluster, 'fe1', { from: client });
      const { completion } = await imap.ok(`LOGIN ${user} ${cluster.password}`);
      assert.match(completion, /^OK \[CAPABILITY IMAP4rev1 .*SNIPPET=FUZZY/);
      await imap.append('INBOX', Buffer.from('Subject: hello\r\n\r\nat Dovecot\r\n'));
      assert.equal((await imap.find('hello')).length, 1);
      imap.close();
      await loggedIn('imap', user);
      await logLine(cluster, 'fe1', [`"account":"${user}@example.com"`, `"node":"localhost:${String(manner.tls === 'implicit' ? dovecot.ports.imaps : dovecot.ports.imap)}"`]);
    });

    test('POP3: the same user, the same mail', async () => {
      const user = await addPerson(cluster, 'localhost');
      const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
      await imap.append('INBOX', Buffer.from('Subject: hello\r\n\r\nat Dovecot\r\n'));
      imap.close();
      const pop3 = await Dialogue.connect({ port: cluster.port('fe1', 'pop3s'), tls: 'implicit', from: client });
      await pop3.expect(/^\+OK/);
      for (const [command, answer] of [[`USER ${user}`, /^\+OK/], [`PASS ${cluster.password}`, /^\+OK/], ['STAT', /^\+OK 1 /], ['QUIT', /^\+OK/]] as const) {
        pop3.say(command);
        await pop3.expect(answer);
      }
      pop3.close();
      await loggedIn('pop3', user);
    });

    test('a user of be1 is served by be1 all the same', async () => {
      const user = await addPerson(cluster, 'be1');
      const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
      await logLine(cluster, 'be1', ['"logged in"', `${user}@example.com`]);
      imap.close();
    });

    if (manner.masterUser === undefined) {
      if (manner.tls === 'implicit') {
        loopTests(() => cluster);
        mailTests(() => cluster);
      } else mailLoopTest(() => cluster);
    }

    if (manner.proxyProtocol === 'v2') behindProxyTest(() => ({ cluster, dovecot }));

    test('a wrong password is refused, and Dovecot away is an outage that leaves the session', async () => {
      const user = await addPerson(cluster, 'localhost');
      const imap = await ImapSession.connect(cluster, 'fe1');
      assert.match((await imap.run(`LOGIN ${user} wrong`)).completion, /^NO \[AUTHENTICATIONFAILED\]/);
      await dovecot.stop();
      assert.match((await imap.run(`LOGIN ${user} ${cluster.password}`)).completion, /^NO \[UNAVAILABLE\]/);
      await imap.ok('NOOP');
      imap.close();
    });
  });
}

/** A mailHost that leads back to the front-end: the proxies count the hops. */
function loopTests(cluster: () => Cluster): void {
  test('IMAP that goes round in circles ends after a few hops, with a line that names the cause; so does POP3', async () => {
    const there = cluster();
    const byImap = await addPerson(there, `localhost:${String(there.port('fe1', 'imaps'))}`);
    const imap = await ImapSession.connect(there, 'fe1');
    assert.match((await imap.run(`LOGIN ${byImap} ${there.password}`)).completion, /^NO \[UNAVAILABLE\]/);
    const byPop3 = await addPerson(there, `localhost:${String(there.port('fe1', 'pop3s'))}`);
    const pop3 = await Pop3Session.connect(there, 'fe1');
    await pop3.ok(`USER ${byPop3}`);
    assert.match(await pop3.run(`PASS ${there.password}`), /^-ERR \[SYS\/TEMP\]/);
    for (const service of ['imaps', 'pop3s'] as const) {
      await logLine(there, 'fe1', [`login passed 5 proxies; the mailHost that leads to localhost:${String(there.port('fe1', service))} is a proxy itself`]);
    }
    const logins = there.log('fe1').split('\n').filter((line) => line.includes('login failed') && line.includes(byImap));
    assert.equal(logins.length, 5);
    imap.close();
  });
}

/** Mail goes to Dovecot by LMTP. */
function mailTests(cluster: () => Cluster): void {
  test('mail from outside: one message for two users there, with our trace field; an unknown user is still refused', async () => {
    const users = [await addPerson(cluster(), 'localhost'), await addPerson(cluster(), 'localhost')];
    const { subject, bytes } = newMessage();
    const smtp = await SmtpSession.connect(cluster(), 'fe1');
    assert.match(await smtp.send({ from: 'sender@example.net', to: users.map((user) => `${user}@example.com`), bytes }), /^250/);
    assert.match(await smtp.send({ from: 'sender@example.net', to: ['nobody-there@example.com'], bytes }), /^550 5\.1\.1/);
    for (const user of users) {
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
      const [uid] = await imap.findSoon(subject);
      const stored = (await imap.messages(String(uid))).get(uid ?? 0)?.toString('latin1') ?? '';
      assert.match(stored, /Received: from client\.example\.net \(\[127\.0\.0\.1\]\)\r\n\tby fe1\.example\.com with ESMTP id /);
      assert.ok(stored.endsWith(bytes.toString('latin1')), stored);
      imap.close();
    }
  });

  test('one message for a user there and one of be1: be1 takes it for both and hands the copy on', async () => {
    const [there, here] = [await addPerson(cluster(), 'localhost'), await addPerson(cluster(), 'be1')];
    const { subject, bytes } = newMessage();
    const smtp = await SmtpSession.connect(cluster(), 'fe1');
    assert.match(await smtp.send({ from: 'sender@example.net', to: [there, here].map((user) => `${user}@example.com`), bytes }), /^250/);
    for (const user of [there, here]) {
      const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
      await imap.findSoon(subject);
      imap.close();
    }
  });

  test('a message that has passed a hundred servers goes no further', async () => {
    const user = await addPerson(cluster(), 'localhost');
    const smtp = await SmtpSession.connect(cluster(), 'fe1');
    const bytes = Buffer.from(`${'Received: from a by b;\r\n\tTue, 24 Nov 2026 00:00:00 +0000\r\n'.repeat(101)}Subject: round\r\n\r\nand round\r\n`);
    assert.match(await smtp.send({ from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^554 5\.4\.6/);
  });
}

/** Mail goes to a Dovecot that wants PROXY headers: from the front-end with the client's address, from the queue of be1 without one. */
function behindProxyTest(there: () => { readonly cluster: Cluster; readonly dovecot: Dovecot }): void {
  test('mail that begins with a PROXY header arrives, straight from the front-end and by way of be1', async () => {
    const { cluster, dovecot } = there();
    const [abroad, here] = [await addPerson(cluster, 'localhost'), await addPerson(cluster, 'be1')];
    const subject = `straight to ${abroad}`;
    const straight = await attempt(cluster, { protocol: 'mx', node: 'fe1', address: `${abroad}@example.com`, password: '', subject, from: client });
    assert.equal(straight.outcome, 'ok', straight.words);
    const both = newMessage();
    const smtp = await SmtpSession.connect(cluster, 'fe1');
    assert.match(await smtp.send({ from: 'sender@example.net', to: [abroad, here].map((user) => `${user}@example.com`), bytes: both.bytes }), /^250/);
    for (const [user, wanted] of [[abroad, subject], [abroad, both.subject], [here, both.subject]] as const) {
      const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
      await imap.findSoon(wanted);
      imap.close();
    }
    for (const from of [client, '127.0.0.1']) await waitFor(() => new RegExp(`lmtp\\(.*Connect from ${from}$`, 'm').test(dovecot.log()), () => dovecot.log());
  });
}

function mailLoopTest(cluster: () => Cluster): void {
  test('mail for a mailHost that is a front-end of ours is refused for now, with the reason', async () => {
    const user = await addPerson(cluster(), `localhost:${String(cluster().port('fe1', 'smtp'))}`);
    const smtp = await SmtpSession.connect(cluster(), 'fe1');
    assert.match(await smtp.say('MAIL FROM:<sender@example.net>'), /^250/);
    assert.match(await smtp.say(`RCPT TO:<${user}@example.com>`), /^451 4\.4\.6 routing loop/);
    await logLine(cluster(), 'fe1', ['routing loop: the mailbox\'s server localhost:']);
  });
}

/** Whole seconds, which Dovecot's log may need. */
async function waitFor(condition: () => boolean, complaint: () => string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !condition() && Date.now() < deadline;) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(condition(), complaint());
}

function configure(cluster: Cluster, dovecot: Dovecot, { tls, masterUser, ...manner }: Manner): void {
  const proxyProtocol = manner.proxyProtocol ?? 'none';
  const secretFile = join(cluster.folder, 'secrets', 'master');
  writeFileSync(secretFile, `${master.password}\n`);
  const masterLine = masterUser === undefined ? '' : `\n    masterUser: { user: ${master.user}, password: { file: ${secretFile} }${masterUser} }`;
  const [imap, pop3] = tls === 'implicit' ? [dovecot.ports.imaps, dovecot.ports.pop3s] : [dovecot.ports.imap, dovecot.ports.pop3];
  const mail = tls === 'implicit' ? `\n    mail: { protocol: lmtp, tls: required, port: ${String(dovecot.ports.lmtp)}, proxyProtocol: ${proxyProtocol} }` : '';
  writeFileSync(cluster.configFile, readFileSync(cluster.configFile, 'utf8').replace('  userMaps:', `  foreignBackends:\n    ca: tls/authority.pem${mail}\n  userMaps:`).replace('\nnodes:\n', `
frontends:
  foreignBackends:
    tls: ${tls}
    proxyProtocol: ${proxyProtocol}${masterLine}
  services:
    imapProxy: { mappingPort: ${String(imap)} }
    pop3Proxy: { mappingPort: ${String(pop3)} }

nodes:
`));
}
