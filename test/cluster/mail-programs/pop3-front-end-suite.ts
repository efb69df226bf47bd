/** What POP3 promises of more than one connection, through a front-end and over two workers: languages that last through the login, a delay between logins, a lock. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Cluster } from '../../harness/cluster.ts';
import { addPerson } from '../../harness/demo-people.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import { Pop3Session } from '../../harness/pop3-session.ts';

export function pop3FrontEndSuite(cluster: () => Cluster): void {
  describe('POP3 through a front-end', () => {
    languages(cluster);
    policies(cluster);
  });
}

function languages(cluster: () => Cluster): void {
  test('LANG and UTF8 before login hold after it', async () => {
    const user = await addPerson(cluster(), 'be1');
    const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
    await imap.ok('ENABLE UTF8=ACCEPT');
    await imap.append('INBOX', Buffer.from('Subject: Grüße\r\n\r\nHallo.\r\n'));
    imap.close();
    const pop3 = await Pop3Session.connect(cluster(), 'fe1');
    assert.deepEqual(await pop3.lines('LANG'), ['en English', 'de Deutsch']);
    assert.match(await pop3.run('LANG fr'), /^-ERR no language fr here$/);
    assert.equal(await pop3.run('LANG de fr'), '-ERR the form is: LANG [language]');
    assert.equal(await pop3.ok('LANG de'), '+OK de ab jetzt auf Deutsch');
    assert.match(await pop3.run('HELP'), /^-ERR unbekannter Befehl/);
    await pop3.ok('UTF8');
    await pop3.ok(`USER ${user}`);
    assert.equal(await pop3.ok(`PASS ${cluster().password}`), '+OK das Postfach hat 1 Nachricht (28 Oktette)');
    assert.ok((await pop3.lines('RETR 1')).includes('Subject: Grüße'));
    assert.match(await pop3.run('RETR 2'), /^-ERR diese Nachricht gibt es nicht/);
    pop3.close();
  });

  test('who has said neither is spoken to in English, and gets headers in ASCII', async () => {
    const user = await addPerson(cluster(), 'be1');
    const imap = await ImapSession.logIn(cluster(), { node: 'fe1', user });
    await imap.ok('ENABLE UTF8=ACCEPT');
    await imap.append('INBOX', Buffer.from('Subject: Grüße\r\n\r\nHallo.\r\n'));
    imap.close();
    const pop3 = await Pop3Session.logIn(cluster(), { node: 'fe1', user });
    assert.ok((await pop3.lines('RETR 1')).includes('Subject: =?utf-8?B?R3LDvMOfZQ==?='));
    assert.match(await pop3.run('RETR 2'), /^-ERR no such message/);
    pop3.close();
  });
}

/** be1 has an exclusive lock; be2 a delay of 3000 s, and mail that expires after 60 days. Both have two workers. */
function policies(cluster: () => Cluster): void {
  test('before login the strictest policy of all back-ends is announced, after it that of the user\'s own', async () => {
    const [one, other] = [await addPerson(cluster(), 'be1'), await addPerson(cluster(), 'be2')];
    assert.deepEqual(await policyLines(await Pop3Session.connect(cluster(), 'fe1')), ['EXPIRE 60 USER', 'LOGIN-DELAY 3000 USER']);
    assert.deepEqual(await policyLines(await Pop3Session.logIn(cluster(), { node: 'fe1', user: one })), ['EXPIRE NEVER']);
    assert.deepEqual(await policyLines(await Pop3Session.logIn(cluster(), { node: 'fe1', user: other })), ['EXPIRE 60', 'LOGIN-DELAY 3000']);
  });

  test('of several logins at once one gets in while there is a delay between them', async () => {
    const user = await addPerson(cluster(), 'be2');
    const lines = await Promise.all(Array.from({ length: 8 }, async () => logIn(cluster(), user)));
    assert.equal(lines.filter((line) => line.startsWith('+OK')).length, 1, lines.join('\n'));
    assert.equal(lines.filter((line) => /^-ERR \[LOGIN-DELAY\] you logged in lately; the next login is possible in \d+ seconds; try again later$/.test(line)).length, 7, lines.join('\n'));
  });

  test('an exclusive lock holds at all workers, until QUIT', async () => {
    const user = await addPerson(cluster(), 'be1');
    const held = await Pop3Session.logIn(cluster(), { node: 'fe1', user });
    const lines = await Promise.all(Array.from({ length: 6 }, async () => logIn(cluster(), user)));
    for (const line of lines) assert.match(line, /^-ERR \[IN-USE\] /);
    await held.ok('QUIT');
    assert.match(await logIn(cluster(), user), /^\+OK/);
  });
}

async function policyLines(pop3: Pop3Session): Promise<string[]> {
  const lines = await pop3.lines('CAPA');
  pop3.close();
  return lines.filter((line) => /^(?:EXPIRE|LOGIN-DELAY) /.test(line));
}

/** The answer to PASS; then says goodbye. */
async function logIn(cluster: Cluster, user: string): Promise<string> {
  const pop3 = await Pop3Session.connect(cluster, 'fe1');
  await pop3.ok(`USER ${user}`);
  const line = await pop3.run(`PASS ${cluster.password}`);
  await pop3.ok('QUIT');
  pop3.close();
  return line;
}
