/** Plays every file of `conversations/`; its first line is the title. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { verbs } from '../../../backend/imap/commands.ts';
import { friendOf, play, publicOwner, readConversation } from './conversation.ts';
import { startServer } from './harness.ts';
import type { Conversation } from './conversation.ts';
import type { TestServer } from './harness.ts';

const folder = path.join(import.meta.dirname, 'conversations');
let server: TestServer;

before(async () => {
  server = await startServer({ limits: { maxMessageBytes: 10_000, maxHeaderBytes: 500, mostWatchedMailboxes: 15 }, quotaBytes: 20_000, publicOwners: { 'example.com': publicOwner }, groups: { 'team@example.com': [friendOf('group-rights@example.com')] } });
});
after(async () => server.stop());

const conversations = fs.readdirSync(folder).filter((name) => name.endsWith('.txt')).map((file) => ({ file, conversation: readConversation(path.join(folder, file)) }));

for (const { file, conversation } of conversations) {
  test(conversation.title, { timeout: 60_000 }, async () => play(conversation, server, `${path.basename(file, '.txt')}@example.com`));
}

/** Said to no client; followed by bytes that are no lines. Other tests do it. */
const neverDone: ReadonlySet<string> = new Set(['UNAUTHENTICATE', 'COMPRESS', 'STARTTLS']);

/** The verbs of the commands, and how each is completed: `OK`, or `NO` and `BAD`. */
function* completions({ steps }: Conversation): Generator<{ readonly verb: string; readonly completion: string }, void, void> {
  const said = new Map<string, string>();
  for (const { word, text } of steps) {
    const [, tag = '', rest = ''] = /^(\S+) (.*)$/.exec(text) ?? [];
    const session = word.slice(1);
    const [, one = '', two = ''] = /^(\S+)(?: (\S+))?/.exec(rest.toUpperCase()) ?? [];
    if (word.startsWith('C')) said.set(`${session} ${tag}`, one === 'UID' ? `UID ${two}` : one);
    const verb = word.startsWith('S') ? said.get(`${session} ${tag}`) : undefined;
    if (verb !== undefined && /^(?:OK|NO|BAD)$/.test(one)) yield { verb, completion: one };
  }
}

test('Every command is done in one of these conversations, and refused in one', () => {
  const all = conversations.flatMap(({ conversation }) => [...completions(conversation)]);
  const has = (verb: string, completion: RegExp): boolean => all.some((each) => each.verb === verb && completion.test(each.completion));
  assert.deepEqual(verbs.filter((verb) => !neverDone.has(verb) && !has(verb, /OK/)), [], 'done nowhere');
  assert.deepEqual(verbs.filter((verb) => !has(verb, /NO|BAD/)), [], 'refused nowhere');
});
