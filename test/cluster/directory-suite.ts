/** What an administrator changes in the directory shows in the next session, through either front-end. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { frontendNames } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { addPerson, guesser, setMailHost } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { deliver } from '../harness/smtp-session.ts';

export function directorySuite(cluster: () => Cluster): void {
  for (const node of frontendNames) {
    describe(`the directory, seen through ${node}`, () => {
      newPeople(cluster, node);
      movedPeople(cluster, node);
    });
  }
}

/** Delivers a message; answers its subject. */
async function sendTo(cluster: Cluster, node: NodeName, user: string): Promise<string> {
  const { subject, bytes } = newMessage();
  assert.match(await deliver(cluster, node, { from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^250 /);
  return subject;
}

/** Logs in; the front-end's log must say at which back-end. */
async function logInAt(cluster: Cluster, place: { readonly node: NodeName; readonly user: string; readonly home: string }): Promise<ImapSession> {
  const said = cluster.log(place.node).length;
  const imap = await ImapSession.logIn(cluster, place);
  await logLine(cluster, place.node, { words: [`"account":"${place.user}@example.com","node":"${place.home}"`], from: said });
  return imap;
}

function newPeople(cluster: () => Cluster, node: NodeName): void {
  test('after ldapadd a new user logs in and gets mail', async () => {
    const user = await addPerson(cluster(), 'be1');
    const imap = await logInAt(cluster(), { node, user, home: 'be1' });
    await imap.findSoon(await sendTo(cluster(), node, user));
    imap.close();
  });

  test('mail makes the mailbox of a user who never logged in', async () => {
    const user = await addPerson(cluster(), 'be2');
    const subject = await sendTo(cluster(), node, user);
    const imap = await logInAt(cluster(), { node, user, home: 'be2' });
    await imap.findSoon(subject);
    imap.close();
  });

  test('an address asked for a moment ago in vain is known after ldapadd for logins', async () => {
    const user = await addPerson(cluster(), 'be2');
    const stranger = await ImapSession.connect(cluster(), node, { from: guesser });
    assert.match((await stranger.run(`LOGIN ${user} wrong`)).completion, /^NO \[AUTHENTICATIONFAILED\]/);
    await stranger.ok(`LOGIN ${user} ${cluster().password}`);
    stranger.close();
  });

  test('after ldapmodify of a new user\'s mailHost mail and sessions go to the other back-end at once, whatever is cached', async () => {
    const user = await addPerson(cluster(), 'be1');
    // A wrong password: the front-end now remembers the route, and no back-end has made a mailbox.
    const stranger = await ImapSession.connect(cluster(), node, { from: guesser });
    await stranger.run(`LOGIN ${user} wrong`);
    stranger.close();
    await setMailHost(cluster(), user, 'be2');
    const subject = await sendTo(cluster(), node, user);
    const imap = await logInAt(cluster(), { node, user, home: 'be2' });
    await imap.findSoon(subject);
    imap.close();
  });
}

function movedPeople(cluster: () => Cluster, node: NodeName): void {
  test('a user with mail whose mailHost is changed goes on at the new back-end, the log names the mail left behind, and putting it back shows it', async () => {
    const user = await addPerson(cluster(), 'be1');
    const first = await sendTo(cluster(), node, user);
    (await logInAt(cluster(), { node, user, home: 'be1' })).close();
    await setMailHost(cluster(), user, 'be2');
    const there = await logInAt(cluster(), { node, user, home: 'be2' });
    assert.deepEqual(await there.find(first), []);
    there.close();
    await logLine(cluster(), 'be2', ['"mail-left-behind"', `"account":"${user}@example.com"`, '"holders":["be1"]']);
    await setMailHost(cluster(), user, 'be1');
    const back = await logInAt(cluster(), { node, user, home: 'be1' });
    assert.equal((await back.find(first)).length, 1);
    back.close();
  });

  test('a mailHost that names no node is a temporary error, never an unknown user', async () => {
    const user = await addPerson(cluster(), 'be9.example.com');
    const imap = await ImapSession.connect(cluster(), node);
    assert.match((await imap.run(`LOGIN ${user} ${cluster().password}`)).completion, /^NO \[UNAVAILABLE\] /);
    imap.close();
  });
}
