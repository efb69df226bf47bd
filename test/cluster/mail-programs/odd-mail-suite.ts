/** What is rare in other people's mailboxes, through a front-end: odd names, headers in UTF-8, big messages, folders that others share from another node; and a client that comes back after changes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ImapFlow } from 'imapflow';
import { addPerson } from '../../harness/demo-people.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import { newMessage } from '../../harness/messages.ts';
import type { ProgramResult } from '../../harness/programs.ts';
import { mbsyncSettings } from './settings.ts';
import type { Person } from './settings.ts';

export interface Programs {
  /** Somebody whose mailbox is on be1. */
  newPerson(): Promise<Person>;
  /** Runs a program with a home of its own. */
  start(person: Person, program: string, ...words: readonly string[]): Promise<ProgramResult>;
  /** All files below a folder that hold mail, by name. */
  mailFiles(home: string): string[];
}

/** As mbsync has them, and IMAP without UTF-8: Entwürfe, Fish & Chips, 日本語. */
const oddNames = ['Entw&APw-rfe', 'Fish &- Chips', 'say "hi"', 'a/b/c', '&ZeVnLIqe-'];

function quoted(name: string): string {
  return `"${name.replaceAll('"', '\\"')}"`;
}

const bigBytes = 3 * 1024 * 1024;

/** Base64 in lines. */
function bigMessage(): Buffer {
  const { bytes } = newMessage();
  return Buffer.concat([bytes, Buffer.from(randomBytes(bigBytes).toString('base64').replace(/.{76}/g, '$&\r\n'))]);
}

/** A folder of somebody on be2 that the person may do everything in. Answers the owner's session and the name that the person knows it by. */
async function sharedElsewhere({ cluster, user }: Person): Promise<{ readonly owner: ImapSession; readonly name: string }> {
  const ownerName = await addPerson(cluster, 'be2');
  const owner = await ImapSession.logIn(cluster, { node: 'fe1', user: ownerName });
  await owner.ok('CREATE "Our Plans"');
  await owner.append('"Our Plans"', newMessage().bytes);
  await owner.ok(`SETACL "Our Plans" ${user} lrswite`);
  return { owner, name: `Other Users/${ownerName}@example.com/Our Plans` };
}

export function oddMailSuite(programs: Programs): void {
  test('mbsync carries mailboxes of odd names, headers in UTF-8, a big message and a folder of another node both ways, and the second time nothing', { timeout: 180_000 }, async () => {
    const person = await programs.newPerson();
    const imap = await ImapSession.logIn(person.cluster, { node: 'fe1', user: person.user });
    for (const name of oddNames) {
      await imap.ok(`CREATE ${quoted(name)}`);
      await imap.append(quoted(name), Buffer.from(newMessage().bytes.toString().replace('From: ', 'From: "Jörg Grüße" ')));
    }
    await imap.append('INBOX', bigMessage());
    const { owner, name: shared } = await sharedElsewhere(person);
    await imap.ok('LIST "" "Other Users/*"');
    const settings = mbsyncSettings(person);
    const sync = async (): Promise<void> => {
      const { code, complaint } = await programs.start(person, 'mbsync', '-c', settings, '-a');
      assert.equal(code, 0, complaint);
      assert.doesNotMatch(complaint, /error|warning/i);
    };
    await sync();
    const mail = join(person.home, 'mail');
    const held = programs.mailFiles(mail);
    for (const folder of [...oddNames, 'INBOX', shared]) assert.equal(held.filter((file) => file.startsWith(`${folder}/`)).length, 1, `${folder}: ${held.join('\n')}`);
    const ofName = (folder: string): Buffer => readFileSync(join(mail, held.find((file) => file.startsWith(`${folder}/`)) ?? ''));
    assert.ok(ofName('INBOX').length > bigBytes);
    assert.match(ofName('Entw&APw-rfe').toString(), /^From: "Jörg Grüße" /m);
    const written = ['say "hi"', '&ZeVnLIqe-', shared];
    for (const folder of written) writeFileSync(join(mail, folder, 'new', '1234.written.here'), newMessage().bytes.toString().replaceAll('\r\n', '\n'));
    await sync();
    for (const name of written) assert.match((await imap.ok(`STATUS ${quoted(name)} (MESSAGES)`)).untagged.map(({ text }) => text).join(''), /MESSAGES 2\)/, name);
    assert.match((await owner.ok('STATUS "Our Plans" (MESSAGES)')).untagged.map(({ text }) => text).join(''), /MESSAGES 2\)/);
    const state = async (): Promise<unknown> => {
      const states = [programs.mailFiles(mail)];
      for (const name of [...oddNames, 'INBOX', shared]) states.push((await imap.ok(`STATUS ${quoted(name)} (MESSAGES UNSEEN UIDNEXT HIGHESTMODSEQ)`)).untagged.map(({ text }) => text));
      return states;
    };
    const settled = await state();
    await sync();
    assert.deepEqual(await state(), settled);
    owner.close();
    imap.close();
  });

  test('imapflow comes back by QRESYNC to a mailbox of an odd name and hears what changed and what is gone; in IDLE on a folder of another node, what arrives', { timeout: 120_000 }, async () => {
    const person = await programs.newPerson();
    const name = 'Entwürfe & "Co"/ä';
    const connect = async (): Promise<ImapFlow> => {
      const client = new ImapFlow({ host: '127.0.0.1', port: person.cluster.port('fe1', 'imaps'), secure: true, tls: { rejectUnauthorized: false }, auth: { user: person.user, pass: person.cluster.password }, logger: false, qresync: true });
      await client.connect();
      return client;
    };
    const [first, other] = [await connect(), await connect()];
    await first.mailboxCreate(name);
    for (let count = 0; count < 4; count += 1) await first.append(name, newMessage().bytes);
    const { highestModseq, uidValidity } = await first.mailboxOpen(name);
    assert.ok(highestModseq !== undefined);
    await first.logout();
    await other.mailboxOpen(name);
    await other.messageFlagsAdd('2', ['\\Flagged', '$Label'], { uid: true });
    await other.messageDelete('3', { uid: true });
    await other.mailboxClose();
    const again = await connect();
    const gone: number[] = [];
    const changed: (readonly [number, string])[] = [];
    again.on('expunge', ({ uid, earlier }) => gone.push(earlier === true ? uid ?? -1 : -2));
    again.on('flags', ({ uid, flags }) => changed.push([uid ?? -1, [...flags].filter((flag) => flag !== '\\Recent').toSorted().join(' ')]));
    assert.equal((await again.mailboxOpen(name, { changedSince: highestModseq, uidValidity })).exists, 3);
    assert.deepEqual(changed, [[2, '$Label \\Flagged']]);
    assert.deepEqual(gone, [3]);
    const { owner, name: shared } = await sharedElsewhere(person);
    assert.equal((await again.mailboxOpen(shared)).exists, 1);
    const heard = new Promise<number>((resolve) => {
      again.once('exists', ({ count }) => resolve(count));
    });
    const idling = again.idle();
    await owner.append('"Our Plans"', newMessage().bytes);
    assert.equal(await heard, 2);
    await again.logout();
    await idling;
    await other.logout();
    owner.close();
  });
}
