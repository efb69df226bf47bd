/**
 * Times what clients do with a big mailbox, over TLS, against a real server and storage in this process:
 * `npm run bench -- imap-big-mailbox --help`.
 */
import { Dialogue } from '../harness/dialogue.ts';
import { messageAbout } from '../backend/imap/conversation.ts';
import { mailboxOf, password, startServer } from '../backend/imap/harness.ts';
import type { TestServer } from '../backend/imap/harness.ts';
import { bigMailboxCommand } from './command/plain-commands.ts';

const address = 'big@example.com';

async function fill(server: TestServer, count: number): Promise<void> {
  const account = await server.storage.createAccount(address);
  const mailbox = mailboxOf(account, 'INBOX');
  const atOnce = 1000;
  for (let from = 0; from < count; from += atOnce) {
    const messages = await Promise.all(
      Array.from({ length: atOnce }, async (_item, index) => {
        const bytes = messageAbout(`message ${String(from + index)}`);
        const source = async function* (): AsyncGenerator<Buffer, void, void> {
          yield bytes;
        };
        return { staged: await account.stage(source(), 1_000_000), marks: { flags: index % 2, keywords: [] } };
      }),
    );
    await mailbox.append(messages);
  }
}

async function time(dialogue: Dialogue, command: string): Promise<void> {
  const before = performance.now();
  dialogue.say(`t ${command}`);
  const [status] = await dialogue.until(/^t .{0,60}/);
  process.stdout.write(`${(performance.now() - before).toFixed(0).padStart(7)} ms  ${command}  (${status})\n`);
}

const [count = 100_000] = bigMailboxCommand().parse().processedArgs as readonly (number | undefined)[];
const server = await startServer({ limits: { loginTimeoutMs: 600_000, idleTimeoutMs: 600_000 } });
const before = performance.now();
await fill(server, count);
process.stdout.write(`${String(count)} messages appended in ${((performance.now() - before) / 1000).toFixed(1)} s\n`);
const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
dialogue.say(`login LOGIN ${address} "${password}"`);
await dialogue.until(/^login OK/);
for (const command of [
  'SELECT INBOX', 'FETCH 1:* FLAGS', 'UID FETCH 1:* (FLAGS MODSEQ)', 'UID FETCH 1:* (UID) (CHANGEDSINCE 99999999)', 'SEARCH UNSEEN', 'UID SEARCH RETURN (COUNT) SUBJECT "message 4711"',
  'FETCH 1:1000 ENVELOPE', 'FETCH 1:1000 (ENVELOPE BODYSTRUCTURE)', 'FETCH 1:1000 BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]', 'FETCH 1:1000 BODY.PEEK[]',
  'STORE 1:* +FLAGS.SILENT (\\Flagged)', 'NOOP', 'UID COPY 1:1000 Junk', 'STORE 1:5000 +FLAGS.SILENT (\\Deleted)', 'EXPUNGE',
]) await time(dialogue, command);
dialogue.close();
await server.stop();
