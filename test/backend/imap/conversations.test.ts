/** Plays every file of `conversations/`; its first line is the title. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { verbs } from '../../../backend/imap/commands.ts';
import { capabilityUses, elsewhere } from './capability-uses.ts';
import { friendOf, play, publicOwner, readConversation } from './conversation.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { password, startServer } from './harness.ts';
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

interface Completed {
  readonly verb: string;
  /** Without its tag, as far as the first literal. */
  readonly command: string;
  /** `OK`, `NO` or `BAD`. */
  readonly completion: string;
}

/** The commands, and how each is completed. */
function* completions({ steps }: Conversation): Generator<Completed, void, void> {
  const said = new Map<string, Omit<Completed, 'completion'>>();
  for (const { word, text } of steps) {
    const [, tag = '', rest = ''] = /^(\S+) (.*)$/.exec(text) ?? [];
    const session = word.slice(1);
    const [, one = '', two = ''] = /^(\S+)(?: (\S+))?/.exec(rest.toUpperCase()) ?? [];
    if (word.startsWith('C')) said.set(`${session} ${tag}`, { verb: one === 'UID' ? `UID ${two}` : one, command: rest });
    const asked = word.startsWith('S') ? said.get(`${session} ${tag}`) : undefined;
    if (asked !== undefined && /^(?:OK|NO|BAD)$/.test(one)) yield { ...asked, completion: one };
  }
}

test('Every command is done in one of these conversations, and refused in one', () => {
  const all = conversations.flatMap(({ conversation }) => [...completions(conversation)]);
  const has = (verb: string, completion: RegExp): boolean => all.some((each) => each.verb === verb && completion.test(each.completion));
  assert.deepEqual(verbs.filter((verb) => !neverDone.has(verb) && !has(verb, /OK/)), [], 'done nowhere');
  assert.deepEqual(verbs.filter((verb) => !has(verb, /NO|BAD/)), [], 'refused nowhere');
});

test('Everything that is announced is used in one of these conversations, and refused in one', async () => {
  const all = conversations.flatMap(({ conversation }) => [...completions(conversation)]);
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  const [, before = ''] = await dialogue.expect(/^\* OK \[CAPABILITY ([^\]]*)\]/);
  dialogue.say(`l LOGIN announced@example.com "${password}"`);
  const [, behind = ''] = await dialogue.until(/^l OK \[CAPABILITY ([^\]]*)\]/);
  dialogue.close();
  const announced = new Set(`${before} ${behind}`.split(' ').map((word) => word.replace(/^APPENDLIMIT=.*/, 'APPENDLIMIT')).filter((word) => !elsewhere.has(word)));
  const has = (word: string, completion: RegExp): boolean => all.some((each) => capabilityUses[word]?.test(each.command) === true && completion.test(each.completion));
  assert.deepEqual([...announced].filter((word) => !has(word, /OK/)), [], 'used nowhere');
  assert.deepEqual([...announced].filter((word) => !has(word, /NO|BAD/)), [], 'refused nowhere');
});
