/** What a back-end may ask of another on behalf of a guest: spoken word by word to the listener for nodes, with whatever certificate. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectTo } from '../../../shared/net/connect.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { certificates } from './harness.ts';
import { close, deliverTo, pair } from './pairs.ts';
import { demandOk, startTwoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let cluster: TwoNodes;
before(async () => {
  cluster = await startTwoNodes();
});
after(async () => cluster.stop());

/** What the last conversation of `speak` was told of mailboxes. */
let untagged: string[] = [];

/** What is answered to each tag by a node's trusted listener, to who shows that certificate. */
async function speak(node: 'be1' | 'be2', certificate: string, lines: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const own = certificates[certificate];
  const socket = await connectTo({ host: '127.0.0.1', port: cluster.nodes[node].ports.trusted, tls: { key: own?.key, cert: own?.certificate, ca: own?.authority }, timeoutMs: 5000 });
  const connection = new Connection(socket, { maxLineBytes: 100_000, idleTimeoutMs: 10_000 });
  const answers: Record<string, string> = {};
  untagged = [];
  await connection.write(`${lines.join('\r\n')}\r\n`);
  while (Object.keys(answers).length < lines.length) {
    const line = await connection.readLine();
    if (line === undefined) break;
    const [, tag = '', text = ''] = /^([a-z]) (.*)$/.exec(line) ?? [];
    if (tag !== '') answers[tag] = text;
    else if (/^\* (?:ESEARCH|STATUS|LIST|METADATA) /.test(line)) untagged.push(line);
  }
  connection.destroy();
  return answers;
}

test('only a back-end of the cluster may come for a guest, and only for what is shared with that guest', async () => {
  const both = await pair(cluster, 'trust', 'lr');
  const { ownerAddress, guestAddress } = both;
  const asGuest = [`i ID ("x-guest-of" "${ownerAddress}")`, `l AUTHENTICATE EXTERNAL ${Buffer.from(guestAddress).toString('base64')}`];
  const other = await speak('be2', 'be1', [...asGuest, 'a SELECT INBOX', 'b LIST "" *', `c SELECT "Other Users/${ownerAddress}/Sent"`, `d EXAMINE "Other Users/${ownerAddress}/INBOX"`, 'e GETQUOTA ""', 'f UNAUTHENTICATE']);
  assert.match(other['l'] ?? '', /^OK/);
  assert.match(other['a'] ?? '', /^NO \[NONEXISTENT\]/);
  assert.match(other['b'] ?? '', /^NO \[NOPERM\]/);
  assert.match(other['c'] ?? '', /^NO \[NONEXISTENT\]/);
  assert.match(other['d'] ?? '', /^OK \[READ-ONLY\]/);
  assert.match(other['e'] ?? '', /^NO \[NOPERM\]/);
  assert.match(other['f'] ?? '', /^(?:NO|BAD)/);
  const withoutOwner = await speak('be2', 'be1', ['i ID NIL', asGuest[1] ?? '']);
  assert.match(withoutOwner['l'] ?? '', /^NO \[AUTHORIZATIONFAILED\]/);
  const asOwner = await speak('be2', 'be1', [asGuest[0] ?? '', `l AUTHENTICATE EXTERNAL ${Buffer.from(ownerAddress).toString('base64')}`]);
  assert.match(asOwner['l'] ?? '', /^NO \[AUTHORIZATIONFAILED\]/);
  const frontEnd = await speak('be2', 'fe1', [...asGuest, 'a SELECT INBOX']);
  assert.match(frontEnd['a'] ?? '', /^OK/, 'for a front-end the user is the user, and the field says nothing');
  assert.equal((await cluster.nodes.be2.storage.createAccount(guestAddress)).mailbox('INBOX')?.state().messages, 0);
  close(both);
});

test('a guest is told by NOTIFY of what is shared alone, whatever names are asked for', async () => {
  const both = await pair(cluster, 'spy', 'lr');
  const { owner, ownerAddress, guestAddress } = both;
  await demandOk(owner, 'CREATE Private');
  const answers = await speak('be2', 'be1', [`i ID ("x-guest-of" "${ownerAddress}")`, `l AUTHENTICATE EXTERNAL ${Buffer.from(guestAddress).toString('base64')}`,
    `n NOTIFY SET STATUS (personal (MessageNew MessageExpunge MailboxName MailboxMetadataChange)) (subscribed (MessageNew MessageExpunge)) (mailboxes (INBOX Private "Other Users/${ownerAddress}/Private") (MessageNew MessageExpunge)) (mailboxes "Other Users/${ownerAddress}/INBOX" (MessageNew MessageExpunge))`]);
  assert.match(answers['n'] ?? '', /^OK/);
  assert.deepEqual(untagged.map((line) => line.replace(/ \(MESSAGES.*/, '')), [`* STATUS ${both.inbox}`]);
  close(both);
});

test('how folders are is said to a node that understands it, and as they become different; to one of an earlier version, which would pass such lines on to its client, it is not', async () => {
  const both = await pair(cluster, 'earlier', 'lr');
  const { owner, ownerAddress, guestAddress } = both;
  await demandOk(owner, 'CREATE Closed');
  await demandOk(owner, `SETACL Closed ${guestAddress} l`);
  const closed = `"Other Users/${ownerAddress}/Closed"`;
  for (const hears of ['', ' "x-hears-notified" "2"', ' "x-hears-notified" "1"']) {
    await speak('be2', 'be1', [`i ID ("x-guest-of" "${ownerAddress}"${hears})`, `l AUTHENTICATE EXTERNAL ${Buffer.from(guestAddress).toString('base64')}`,
      `n NOTIFY SET (mailboxes (${both.inbox} ${closed}) (MailboxName MessageNew MessageExpunge))`]);
    assert.deepEqual(untagged.map((line) => line.replace(/NOTIFIED" \(\S+ /, 'NOTIFIED" (ID ')), hears.endsWith('"1"')
      ? [`* LIST () "/" ${both.inbox} ("X-WAYBILL-NOTIFIED" (ID (MailboxName MessageNew)))`, `* LIST (\\NoAccess) "/" ${closed} ("X-WAYBILL-NOTIFIED" (ID (MailboxName)))`]
      : [`* LIST (\\NoAccess) "/" ${closed}`]);
  }
  close(both);
});

test('a guest searches the folders of the one owner, by the names that he says, and no others', async () => {
  const both = await pair(cluster, 'narrow', 'lr');
  const { ownerAddress, guestAddress } = both;
  await deliverTo(cluster, ['be2', ownerAddress], 'alpha');
  const asGuest = [`i ID ("x-guest-of" "${ownerAddress}")`, `l AUTHENTICATE EXTERNAL ${Buffer.from(guestAddress).toString('base64')}`];
  const answers = await speak('be2', 'be1', [...asGuest, 'a ESEARCH IN (personal) ALL', 'b ESEARCH IN (subscribed) ALL', 'c ESEARCH IN (mailboxes INBOX subtree INBOX) ALL', `d ESEARCH IN (mailboxes "Other Users/${guestAddress}/INBOX") ALL`]);
  assert.match(answers['a'] ?? '', /^NO \[NOPERM\]/);
  assert.match(answers['b'] ?? '', /^NO \[NOPERM\]/);
  assert.equal(answers['c'], 'OK ESEARCH completed');
  assert.match(answers['d'] ?? '', /^NO \[UNAVAILABLE\]/, 'there are no chains of nodes');
  assert.deepEqual(untagged, [], 'INBOX is the guest\'s own, which is not here');
  close(both);
});
