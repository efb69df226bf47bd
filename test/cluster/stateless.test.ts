/** "Stateless" put to the test: a front-end serves all protocols where it can write no file, and makes no attempt to. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { frontendNames, startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { cageProblem, caged, straceProblem, traced, writablePlaces, writesIn } from '../harness/no-writing.ts';
import { run } from '../harness/programs.ts';

const problems = { fe1: cageProblem(), fe2: straceProblem() };
/** fe1 runs in the cage, fe2 under strace. */
const frontends = frontendNames.map((name) => ({ name, skip: problems[name] ?? false }));

describe('a front-end without a place to write', () => {
  let cluster: Cluster;
  const traceFile = (folder: string): string => path.join(folder, 'fe2.trace');

  before(async () => {
    cluster = await startCluster({
      nodes: ['be1', 'be2', ...frontends.filter(({ skip }) => skip === false).map(({ name }) => name)],
      wrap: { fe1: caged, fe2: (command, folder) => traced(command, traceFile(folder)) },
    });
  });
  after(async () => cluster.stop());

  async function curl(words: readonly string[], input: Buffer | string = ''): Promise<string> {
    const { code, output, complaint } = await run('curl', ['--silent', '--show-error', '--cacert', cluster.authorityFile, ...words], input);
    assert.equal(code, 0, complaint);
    return output;
  }

  function url(scheme: string, node: NodeName, service: string): string {
    return `${scheme}://localhost:${String(cluster.port(node, service))}`;
  }

  /** Mail comes in and is submitted, is read by IMAP and POP3, and WebMail shows it. */
  async function useAll(node: NodeName): Promise<void> {
    const me = ['--user', `alice:${cluster.password}`];
    const { subject, bytes } = newMessage();
    await curl(['--ssl-reqd', '--upload-file', '-', '--mail-from', 's@example.net', '--mail-rcpt', 'alice@example.com', url('smtp', node, 'smtp')], bytes);
    const own = ['--mail-from', 'alice@example.com', '--mail-rcpt', 'bob@example.com', '--mail-rcpt', 'alice@example.com'];
    await curl([...me, '--upload-file', '-', ...own, url('smtps', node, 'submissions')], newMessage().bytes);
    const found = await curl([...me, '--request', `SEARCH SUBJECT "${subject}"`, `${url('imaps', node, 'imaps')}/INBOX`]);
    assert.match(found, /^\* SEARCH \d+/);
    const list = await curl([...me, url('pop3s', node, 'pop3s')]);
    const retrieved = await curl([...me, `${url('pop3s', node, 'pop3s')}/${String(list.trim().split('\r\n').length)}`]);
    assert.match(retrieved, /^Subject: about-/m);
    const credentials = JSON.stringify({ name: 'alice', password: cluster.password });
    const web = ['--header', 'waybill-request: user', '--header', 'content-type: application/json'];
    const signedIn = await curl([...web, '--include', '--data', credentials, `${url('https', node, 'https')}/api/sign-in`]);
    const cookie = /^set-cookie: ([^;]+)/im.exec(signedIn)?.[1] ?? '';
    assert.match(await curl([...web, '--cookie', cookie, `${url('https', node, 'https')}/api/mailboxes`]), /INBOX/);
    assert.match(await curl([url('https', node, 'https')]), /<!doctype html>/i);
  }

  for (const { name, skip } of frontends) {
    test(`${name} serves SMTP, IMAP, POP3 and WebMail`, { skip }, async () => useAll(name));
  }

  test('fe1 could write nowhere, had it tried', { skip: problems.fe1 ?? false }, () => {
    const places = ['/tmp', '/var/tmp', '/dev/shm', '/var/log', '/run', os.homedir(), process.cwd(), path.dirname(process.execPath)];
    assert.deepEqual(writablePlaces(cluster.folder, places), []);
  });

  test('a new configuration is put to use there, too', { skip: problems.fe1 ?? problems.fe2 ?? false }, async () => {
    fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace('drainSeconds: 5', 'drainSeconds: 1'));
    for (const { name } of frontends) {
      await logLine(cluster, name, { words: ['runs the new configuration'], patienceMs: 20_000 });
      await useAll(name);
    }
  });

  test('fe2, from its start to its end, opened no file for writing, made none and removed none', { skip: problems.fe2 ?? false }, async () => {
    const { pid } = JSON.parse(await logLine(cluster, 'fe2', ['"msg":"ready"'])) as { readonly pid: number };
    process.kill(pid, 'SIGTERM'); // strace blocks it for itself and does not pass it on
    assert.equal(await cluster.stopNode('fe2'), 0);
    assert.deepEqual(writesIn(traceFile(cluster.folder)), []);
  });
});
