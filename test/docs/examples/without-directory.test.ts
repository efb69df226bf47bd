/** docs/examples/without-directory.yaml: one server, local accounts only. Accounts, aliases, groups, catch-all, passwords, services, deletion: all without a directory. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { after, before, test } from 'node:test';
import { attempt } from '../../harness/attempts.ts';
import type { Protocol } from '../../harness/attempts.ts';
import { CommandRunner } from '../../harness/command-runner.ts';
import { prepareExample } from '../../harness/example-cluster.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { tried, worksFromOutside } from './from-outside.ts';

let example: Example;
let commands: CommandRunner;
const ann = { node: '0.0.0.0', address: 'ann@example.com', password: 'secret-of-ann' };
const ben = { node: '0.0.0.0', address: 'ben@example.org', password: 'secret-of-ben' };

before(async () => {
  example = await prepareExample({ file: 'without-directory.yaml', replace: {} });
  commands = new CommandRunner(example.configFile);
  await example.start(['machine', '--nodes', 'front,mail']);
  await done(['account', 'add', 'ann', '--stdin'], ann.password);
  await done(['account', 'add', ben.address, '--stdin'], ben.password);
});
after(async () => {
  commands.stop();
  await example.stop();
});

async function run(words: readonly string[], input?: string): Promise<{ readonly code: number | null; readonly output: string; readonly complaint: string }> {
  return input === undefined ? commands.run(words) : example.command([...words, '--config', example.configFile], `${input}\n`);
}

async function done(words: readonly string[], input?: string): Promise<string> {
  const { code, output, complaint } = await run(words, input);
  assert.equal(code, 0, `${words.join(' ')}: ${complaint}`);
  return output;
}

/** Mail to an address comes to all of these, and to nobody twice. */
async function reaches(address: string, who: readonly (typeof ann)[]): Promise<void> {
  const subject = `for-${randomUUID()}`;
  await tried(example, 'mx', { node: '0.0.0.0', address, subject });
  for (const one of who) {
    for (const deadline = Date.now() + 60_000; (await attempt(example, { ...one, protocol: 'imap', subject, from: '127.0.0.1' })).outcome !== 'ok';) assert.ok(Date.now() < deadline, `${one.address} has no mail for ${address}`);
  }
}

test('accounts of several domains get mail and read it by every protocol', async () => {
  await worksFromOutside(example, ann);
  await worksFromOutside(example, ben, ['imap']);
  await tried(example, 'mx', { node: '0.0.0.0', address: 'nobody@example.org', expect: 'refused' });
});

test('aliases, domain aliases, groups in groups and the catch-all lead to accounts', async () => {
  await done(['account', 'alias', 'add', ben.address, 'info@example.org']);
  await done(['group', 'add', 'all@example.org', 'ann@example.com', 'team@example.org']);
  await done(['group', 'add', 'team@example.org', ben.address]);
  await reaches('info@example.org', [ben]);
  await reaches('all@example.org', [ann, ben]);
  await reaches('ann@example.net', [ann]);
  await reaches('whoever@example.com', [ann]);
  assert.equal(await done(['group', 'show', 'all@example.org']), 'ann@example.com\nteam@example.org\n');
  await done(['group', 'member', 'remove', 'all@example.org', 'team@example.org']);
  assert.match(await done(['group', 'list']), /all@example\.org +mail +1\n/);
  await done(['group', 'delete', 'all@example.org']);
  await tried(example, 'mx', { node: '0.0.0.0', address: 'all@example.org', expect: 'refused' });
  const subject = `by-alias-${randomUUID()}`;
  await tried(example, 'mx', { ...ben, subject });
  await tried(example, 'imap', { ...ben, address: 'info@example.org', subject });
});

test('an account is disabled, limited, renamed, deleted and brought back; passwords change', async () => {
  const subject = `kept-${randomUUID()}`;
  await tried(example, 'mx', { ...ben, subject });
  const words = async (protocol: Protocol, who = ben): Promise<string> => (await attempt(example, { ...who, protocol, subject, from: '127.0.0.1' })).words;
  await done(['account', 'disable', ben.address]);
  assert.match(await words('imap'), /\[CONTACTADMIN\]/);
  assert.match(await words('submission'), /^525 5\.7\.13/);
  await done(['account', 'enable', ben.address]);
  await done(['account', 'services', ben.address, 'smtp,imap']);
  assert.match(await words('pop3'), /\[AUTH\] .*may not use POP3/);
  await tried(example, 'imap', { ...ben, subject });
  await done(['account', 'services', ben.address, 'all']);
  await done(['account', 'rename', ben.address, 'benno@example.com', '--alias']);
  await tried(example, 'imap', { ...ben, address: 'benno@example.com', subject });
  await done(['passwd', 'benno@example.com', '--stdin'], 'another-secret');
  await tried(example, 'pop3', { ...ben, password: 'another-secret', subject });
  await done(['account', 'delete', 'benno']);
  await tried(example, 'imap', { ...ben, password: 'another-secret', expect: 'refused' });
  assert.equal((await run(['account', 'add', 'benno', '--stdin'], 'x')).code, 1);
  await done(['account', 'undelete', 'benno']);
  await tried(example, 'imap', { ...ben, password: 'another-secret', subject });
});

test('a domain is added, limited, disabled, deleted and brought back, and renamed with its accounts; comments of the configuration stay', async () => {
  await done(['domain', 'add', 'example.edu']);
  const cat = { node: '0.0.0.0', address: 'cat@example.edu', password: 'secret-of-cat' };
  await eventually(async () => (await run(['account', 'add', cat.address, '--stdin'], cat.password)).code === 0);
  const subject = `of-cat-${randomUUID()}`;
  await eventually(async () => (await attempt(example, { ...cat, protocol: 'mx', subject, from: '127.0.0.1' })).outcome === 'ok');
  const imap = async (): Promise<string> => (await attempt(example, { ...cat, protocol: 'imap', subject, from: '127.0.0.1' })).words;
  const outcome = async (protocol: Protocol): Promise<string> => (await attempt(example, { ...cat, protocol, subject, from: '127.0.0.1' })).outcome;
  await tried(example, 'imap', { ...cat, subject });
  await done(['domain', 'services', 'example.edu', 'smtp,pop3']);
  await eventually(async () => /may not use IMAP/.test(await imap()));
  await done(['domain', 'services', 'example.edu', 'all']);
  await done(['domain', 'disable', 'example.edu', '--refuse-mail']);
  assert.match(await done(['domain', 'list']), /example\.edu +secondary +disabled/);
  await done(['domain', 'enable', 'example.edu']);
  await done(['domain', 'delete', 'example.edu']);
  await eventually(async () => (await outcome('mx')) === 'refused');
  assert.match(await done(['domain', 'list']), /example\.edu +secondary +deleted/);
  await done(['domain', 'undelete', 'example.edu']);
  await done(['domain', 'rename', 'example.edu', 'example.info', '--alias']);
  await eventually(async () => (await attempt(example, { ...cat, address: 'cat@example.info', protocol: 'imap', subject, from: '127.0.0.1' })).outcome === 'ok');
  assert.match(await done(['domain', 'show', 'example.info']), /accounts +1 in use/);
  const text = fs.readFileSync(example.configFile, 'utf8');
  assert.match(text, /# who gets mail for addresses that nobody has/);
  assert.doesNotMatch(text, /domainSettings/);
  assert.match(text, /example\.edu: example\.info/);
});

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !await holds();) {
    assert.ok(Date.now() < deadline, `it did not come to hold in time; the log ends with\n${example.log().slice(-4000)}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

test('what can\'t be done is said with exit code 1', async () => {
  const before = fs.readFileSync(example.configFile, 'utf8');
  const bad = [['account', 'alias', 'add', 'ann', 'ann@example.com'], ['account', 'alias', 'add', 'ann', 'x@elsewhere.example'], ['group', 'add', 'ann@example.com'], ['group', 'member', 'add', 'nogroup@example.com', 'ann'], ['group', 'add', 'g@example.com', 'no address'],
    ['domain', 'add', 'example.org'], ['domain', 'add', 'no domain'], ['domain', 'delete', 'example.com'], ['domain', 'rename', 'nowhere.example', 'x.example'], ['domain', 'services', 'example.org', 'telepathy'], ['domain', 'undelete', 'example.org']];
  for (const words of bad) {
    const { code, complaint } = await run(words);
    assert.equal(code, 1, words.join(' '));
    assert.match(complaint, /^waybill: \S.+\n$/s);
  }
  assert.equal(fs.readFileSync(example.configFile, 'utf8'), before);
});
