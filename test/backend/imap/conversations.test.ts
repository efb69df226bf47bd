/** Plays every file of `conversations/`; its first line is the title. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { friendOf, play, publicOwner, readConversation } from './conversation.ts';
import { startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

const folder = path.join(import.meta.dirname, 'conversations');
let server: TestServer;

before(async () => {
  server = await startServer({ limits: { maxMessageBytes: 10_000, mostWatchedMailboxes: 15 }, quotaBytes: 20_000, publicOwners: { 'example.com': publicOwner }, groups: { 'team@example.com': [friendOf('group-rights@example.com')] } });
});
after(async () => server.stop());

for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  const conversation = readConversation(path.join(folder, file));
  test(conversation.title, { timeout: 60_000 }, async () => play(conversation, server, `${path.basename(file, '.txt')}@example.com`));
}
