/** People and programs sign in by every way there is, rightly and wrongly, a worker crashes meanwhile, and no log of any node has what they sent. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAdmin, basic } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { logLine } from '../harness/log-lines.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import type { ProgramResult } from '../harness/programs.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import { WebClient } from '../harness/web-client.ts';

export interface SecretsGround {
  readonly cluster: () => Cluster;
  readonly gsasl: (protocol: 'imap' | 'smtp', how: { mechanism: string; user: string; password: string; words?: string[] }) => Promise<ProgramResult>;
  readonly token: () => string;
  readonly byToken: (mechanism: string, text: string) => Promise<ProgramResult>;
  /** An address that nobody came from before. */
  readonly elsewhere: () => string;
  /** What the syslog server has so far. */
  readonly syslog: () => Promise<string>;
}

const secrets = { right: 'RightOfFrank4711', wrong: 'WrongOfFrank0815', changed: 'ChangedOfFrank1234', token: '', admin: 'WrongOfAdmin2233', crash: 'CrashOfFrank5566' };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** As it is, in hexadecimal, and in base64 wherever it begins in the encoded text; the letters at its edges depend on its neighbours. */
function coats(secret: string): readonly string[] {
  const shifted = [0, 1, 2].map((before) => base64(`${'\0'.repeat(before)}${secret}`).replace(/=+$/, '').slice(before === 0 ? 0 : before + 1, -1));
  return [secret, Buffer.from(secret).toString('hex'), ...shifted];
}

/** Loaded into a node: ends the worker by a fault when it reads that password. */
export const crashModule = `
import { Socket } from 'node:net';
const { push } = Socket.prototype;
Socket.prototype.push = function (chunk, ...rest) {
  if (chunk?.includes?.(${JSON.stringify(secrets.crash)})) queueMicrotask(() => { throw new Error('a planted fault'); });
  return push.call(this, chunk, ...rest);
};
`;

export function secretsSuite({ cluster, gsasl, token, byToken, elsewhere, syslog }: SecretsGround): void {
  const user = 'frank@example.com';
  const never = new Set(Object.values(secrets).filter((secret) => secret !== '').flatMap(coats));

  async function byScramAndTokens(): Promise<void> {
    for (const protocol of ['imap', 'smtp'] as const) {
      for (const [mechanism, password] of [['SCRAM-SHA-256', secrets.right], ['SCRAM-SHA-1', secrets.right], ['SCRAM-SHA-256', secrets.wrong]] as const) {
        const { output, complaint } = await gsasl(protocol, { mechanism, user, password, words: ['--no-cb'] });
        // What was said in the exchange: challenges, answers, proofs.
        for (const [said] of `${output}${complaint}`.matchAll(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}={0,2}/g)) never.add(said);
      }
    }
    for (const mechanism of ['OAUTHBEARER', 'XOAUTH2']) {
      const [good, bad] = [token(), `${token().slice(0, -8)}AAAAAAAA`];
      for (const text of [good, bad]) {
        await byToken(mechanism, text);
        for (const part of text.split('.').slice(1)) coats(part).forEach((coat) => never.add(coat));
      }
    }
  }

  async function byPasswords(): Promise<void> {
    for (const password of [secrets.right, secrets.wrong]) {
      const plain = base64(`\0${user}\0${password}`);
      const conversations = [['pop3s', [`USER ${user}`, `PASS ${password}`]], ['pop3s', [`AUTH PLAIN ${plain}`]], ['pop3s', [`APOP ${user} ${password}`, `PASS${password} x`]],
        ['imaps', [`a LOGIN ${user} ${password}`]], ['imaps', [`LOGIN ${user} ${password}`, `b AUTHENTICATE ${password}`]], ['imaps', [`a AUTHENTICATE PLAIN ${plain}`]]] as const;
      for (const [service, lines] of conversations) {
        const dialogue = await Dialogue.connect({ port: cluster().port('fe1', service), tls: 'implicit', from: elsewhere() });
        await dialogue.line();
        for (const line of lines) {
          dialogue.say(line);
          await dialogue.line();
        }
        dialogue.close();
      }
      const smtp = await SmtpSession.connect(cluster(), 'fe1', 'submissions');
      await smtp.say(`AUTH ${password}`);
      await smtp.say(`VRFY ${password}`);
      await smtp.say(`AUHT PLAIN ${plain}`);
      await smtp.authenticate(user, password, password === secrets.right ? 'PLAIN' : 'LOGIN');
      smtp.close();
    }
  }

  async function byPages(): Promise<void> {
    const page = `https://127.0.0.1:${String(cluster().port('fe1', 'https'))}`;
    const raw = { method: 'POST', headers: { 'content-type': 'application/json' } } as const;
    const web = new WebClient();
    assert.equal((await web.post(`${page}/api/sign-in`, { name: user, password: secrets.wrong })).status, 401);
    assert.equal((await web.ask(`${page}/api/sign-in`, { ...raw, body: `{"password":${secrets.right}` })).status, 400);
    assert.equal((await web.post(`${page}/api/sign-in`, { name: user, password: secrets.right })).status, 200);
    for (const [old, status] of [[secrets.wrong, 401], [secrets.right, 200]] as const) {
      const answer = await web.post(`${page}/api/password`, { old, new: secrets.changed });
      assert.equal(answer.status, status, answer.bytes.toString());
    }
    assert.equal((await new WebClient().post(`${page}/api/sign-in`, { name: user, password: secrets.changed })).status, 200);
    coats(web.cookie?.split('=')[1]?.split('.')[0] ?? 'no cookie').forEach((coat) => never.add(coat));
    for (const node of ['fe1', 'be2'] as const) {
      await askAdmin(cluster(), [node, '/api/v1/session'], { method: 'POST', body: { name: 'admin', password: secrets.admin }, from: elsewhere() });
      await askAdmin(cluster(), [node, '/api/v1/session'], { method: 'POST', raw: `{"password":${secrets.admin}`, from: elsewhere() });
      await askAdmin(cluster(), [node, '/api/v1/nodes'], { headers: basic('admin', secrets.admin), from: elsewhere() });
      await askAdmin(cluster(), [node, '/api/v1/nodes'], { headers: { authorization: `Bearer ${secrets.admin}` }, from: elsewhere() });
    }
  }

  async function crash(): Promise<void> {
    const session = await Pop3Session.connect(cluster(), 'fe1');
    await session.ok(`USER ${user}`);
    session.dialogue.say(`PASS ${secrets.crash}`);
    await logLine(cluster(), 'fe1', { words: ['fault in a worker', 'a planted fault', 'stack'], patienceMs: 20_000 });
    session.close();
    await logLine(cluster(), 'fe1', { words: ['worker died'], patienceMs: 20_000 });
    const listens = async (): Promise<boolean> => Dialogue.connect({ port: cluster().port('fe1', 'imaps') }).then((dialogue) => { dialogue.close(); return true; }, () => false);
    for (const deadline = Date.now() + 60_000; !(await listens()); await sleep(100)) assert.ok(Date.now() < deadline, 'fe1 listens again');
  }

  async function allLogs(): Promise<string> {
    const { folder } = cluster();
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.log'));
    return [...files.map((name) => readFileSync(join(folder, name), 'utf8')), await syslog()].join('\n');
  }

  test('whatever way people sign in by, rightly or wrongly, no log has what they sent, at the most verbose level, in files and at a syslog server, and when a worker crashes', async () => {
    const { uri, adminDn, adminPassword } = cluster().ldap;
    const input = `dn: uid=frank,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: userPassword\nuserPassword: ${secrets.right}\n`;
    assert.equal((await runTool('ldapmodify', { uri, as: [adminDn, adminPassword], input })).code, 0);
    await byScramAndTokens();
    await byPasswords();
    await byPages();
    await crash();
    for (const deadline = Date.now() + 60_000; !/frank@example\.com/.test(await syslog());) assert.ok(Date.now() < deadline, 'be2 tells the syslog server of frank');
    const logs = await allLogs();
    for (const there of ['"level":20', '"msg":"login failed"', '"what":"signIn"', 'password changed in WebMail', 'authentication failed', 'signed in', 'a planted fault']) assert.ok(logs.includes(there), `${there} is in the logs`);
    assert.ok(never.size > 40);
    for (const each of never) assert.ok(!logs.includes(each), `${each} stands in a log:\n${logs.split('\n').filter((line) => line.includes(each)).join('\n')}`);
  });
}
