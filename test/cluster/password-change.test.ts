/**
 * Passwords changed in WebMail and by `waybill passwd`, on a slapd that takes changes and a replica that the nodes ask:
 * at both front-ends and in every protocol the old one is good no more, and the new one is.
 */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { askAdmin, basic, me } from '../harness/admin-api.ts';
import { openChromium } from '../harness/chromium.ts';
import { frontendNames, startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';
import { slapdBase, startSlapd } from '../harness/slapd.ts';
import type { Slapd } from '../harness/slapd.ts';
import { WebClient } from '../harness/web-client.ts';

let cluster: Cluster;
let replica: Slapd;
let folder: string;
let strangers = 0;

/** Wrong passwords come from elsewhere each time: nobody shall wait for them. */
const elsewhere = (): string => `127.67.${String(Math.floor((strangers += 1) / 200))}.${String((strangers % 200) + 1)}`;

const policy = `dn: cn=policy,${slapdBase.baseDn}
objectClass: applicationProcess
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdMinLength: 8
pwdCheckQuality: 1
pwdSafeModify: FALSE
`;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-passwords-'));
  fs.writeFileSync(path.join(folder, 'admin'), slapdBase.adminPassword);
  cluster = await startCluster({
    directory: 'slapd',
    slapd: {
      global: ['moduleload syncprov', 'moduleload ppolicy'],
      database: ['overlay ppolicy', `ppolicy_default "cn=policy,${slapdBase.baseDn}"`, 'overlay syncprov'],
    },
    changeConfig: async (yaml) => {
      const provider = /uris: \["(?<uri>[^"]+)"\]/.exec(yaml)?.groups?.['uri'] ?? '';
      replica = await startSlapd({
        ldif: '',
        more: {
          global: ['moduleload ppolicy'],
          database: [`syncrepl rid=1 provider=${provider} type=refreshAndPersist retry="1 +" searchbase="${slapdBase.baseDn}" bindmethod=simple binddn="${slapdBase.adminDn}" credentials=${slapdBase.adminPassword} tls_reqcert=never`],
        },
      });
      const write = `      write: { uri: "${provider}", bindDn: "${slapdBase.adminDn}", bindPassword: { file: "${folder}/admin" } }`;
      return yaml.replace(/uris: \[[^\]]*\]/, `uris: ["${replica.uri}"]`).replace(/^ {6}write: .*$/m, write);
    },
  });
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const added = await runTool('ldapadd', { uri, as: [adminDn, adminPassword], input: policy });
  assert.equal(added.code, 0, added.complaint);
});
after(async () => {
  await Promise.all([cluster, replica].map(async (each: { stop(): Promise<void> } | undefined) => each?.stop()));
  fs.rmSync(folder, { recursive: true, force: true });
});

const url = (node: 'fe1' | 'fe2'): string => `https://127.0.0.1:${String(cluster.port(node, 'https'))}`;

/** A user at the provider; answers the address once the replica knows it. */
async function newUser(node: 'be1' | 'be2'): Promise<string> {
  const address = `${await addPerson(cluster, node)}@example.com`;
  // `-LLL`: without it the tool's comments repeat the filter, and with it the address that nobody has yet.
  const search = { uri: replica.uri, as: [slapdBase.adminDn, slapdBase.adminPassword] as const, parameters: ['-LLL', '-b', slapdBase.baseDn, `(mail=${address})`, 'mail'] };
  await until(async () => (await runTool('ldapsearch', search)).output.includes(`mail: ${address}`));
  return address;
}

async function until(holds: () => Promise<boolean>): Promise<number> {
  const began = Date.now();
  while (!await holds()) {
    if (Date.now() - began > 15_000) throw new Error('it did not come to hold within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Date.now() - began;
}

async function signIn(node: 'fe1' | 'fe2', name: string, password: string): Promise<WebClient> {
  const client = new WebClient();
  const answer = await client.post(`${url(node)}/api/sign-in`, { name, password });
  assert.equal(answer.status, 200, `${answer.bytes.toString()}\n${[node, 'be1', 'be2'].map((one) => cluster.log(one as 'fe1').slice(-1500)).join('\n')}`);
  return client;
}

type Way = 'imaps' | 'pop3s' | 'submissions' | 'https';

/** Whether the login works, by curl; `unsure` for anything but a login or a refusal. */
async function logIn(node: 'fe1' | 'fe2', way: Way, [name, password]: readonly [string, string]): Promise<'in' | 'refused' | `unsure ${string}`> {
  const port = String(cluster.port(node, way));
  const common = ['-sS', '--cacert', cluster.authorityFile, '--interface', elsewhere(), '--max-time', '15'];
  if (way === 'https') {
    const { output } = await run('curl', [...common, '-o', '/dev/null', '-w', '%{http_code}', '-H', 'waybill-request: user', '--json', JSON.stringify({ name, password }), `https://localhost:${port}/api/sign-in`]);
    return output === '200' ? 'in' : output === '401' ? 'refused' : `unsure ${output}`;
  }
  const letter = path.join(folder, 'letter');
  fs.writeFileSync(letter, `From: ${name}\r\nTo: ${name}\r\nSubject: x\r\n\r\nx\r\n`);
  const send = ['--mail-from', name, '--mail-rcpt', name, '--upload-file', letter];
  const where = { imaps: [`imaps://localhost:${port}/INBOX`, '-X', 'NOOP'], pop3s: [`pop3s://localhost:${port}/`], submissions: [`smtps://localhost:${port}`, ...send] }[way];
  const { code, complaint } = await run('curl', [...common, '-u', `${name}:${password}`, ...where]);
  return code === 0 ? 'in' : code === 67 ? 'refused' : `unsure ${String(code)} ${complaint}`;
}

const ways: readonly Way[] = ['imaps', 'pop3s', 'submissions', 'https'];
const everywhere = frontendNames.flatMap((node) => ways.map((way) => [node, way] as const));

async function holdsEverywhere(address: string, passwords: { readonly old: string; readonly now: string }): Promise<void> {
  const of = async (password: string): Promise<readonly string[]> => Promise.all(everywhere.map(async ([node, way]) => `${node} ${way} ${await logIn(node, way, [address, password])}`));
  assert.deepEqual(await of(passwords.now), everywhere.map(([node, way]) => `${node} ${way} in`));
  assert.deepEqual(await of(passwords.old), everywhere.map(([node, way]) => `${node} ${way} refused`));
}

const change = async (client: WebClient, node: 'fe1' | 'fe2', passwords: { readonly old: string; readonly new: string }): ReturnType<WebClient['post']> =>
  client.post(`${url(node)}/api/password`, passwords);

describe('in WebMail', () => {
  test('the new password holds at both front-ends and in all protocols, the old one nowhere; other sessions end, this one goes on', async (t) => {
    const address = await newUser('be1');
    const [mine, other] = [await signIn('fe1', address, cluster.password), await signIn('fe2', address, cluster.password)];
    for (const [node, way] of everywhere) assert.equal(await logIn(node, way, [address, cluster.password]), 'in'); // whatever remembers logins has seen this one
    const answer = await change(mine, 'fe1', { old: cluster.password, new: 'a much better one' });
    assert.deepEqual([answer.status, answer.json['otherSessions']], [200, 'ended'], answer.bytes.toString());
    const changedAt = Date.now();
    const effective = await until(async () => await logIn('fe2', 'imaps', [address, 'a much better one']) === 'in');
    t.diagnostic(`from the answer of the change at fe1 to a login with the new password at fe2, through the replica: ${String(effective)} ms, the login itself included (${String(Date.now() - changedAt)} ms in all)`);
    await holdsEverywhere(address, { old: cluster.password, now: 'a much better one' });
    const status = async (client: WebClient, node: 'fe1' | 'fe2'): Promise<unknown> => {
      const { status: code, kind } = await client.ask(`${url(node)}/api/session`);
      return code === 200 ? 'in' : kind;
    };
    assert.deepEqual([await status(mine, 'fe1'), await status(mine, 'fe2'), await status(other, 'fe2')], ['in', 'in', 'signed-out']);
  });

  test('a wrong present password is refused and counts as a guess: it gets slower', async () => {
    const address = await newUser('be2');
    const client = await signIn('fe1', address, cluster.password);
    const took: number[] = [];
    const from = elsewhere();
    for (let turn = 0; turn < 6; turn += 1) {
      const began = Date.now();
      const { output } = await run('curl', ['-sS', '--cacert', cluster.authorityFile, '--interface', from, '-H', 'waybill-request: user', '-H', `cookie: ${client.cookie ?? ''}`, '--json', JSON.stringify({ old: `guess ${String(turn)}`, new: 'another long one' }), `https://localhost:${String(cluster.port('fe1', 'https'))}/api/password`]);
      took.push(Date.now() - began);
      assert.match(output, /"bad-credentials","text":"The present password is wrong\."/);
    }
    assert.ok((took.at(-1) ?? 0) > (took[0] ?? 0) + 400, took.join(' '));
    assert.equal(await logIn('fe1', 'imaps', [address, cluster.password]), 'in');
  });

  test('what the directory\'s rules forbid is told in its words, and nothing changes', async () => {
    const address = await newUser('be1');
    const client = await signIn('fe2', address, cluster.password);
    const answer = await change(client, 'fe2', { old: cluster.password, new: 'short' });
    assert.deepEqual([answer.status, answer.kind], [422, 'password-refused'], answer.bytes.toString());
    assert.match(answer.bytes.toString(), /The directory refuses the new password: .*(quality|short)/i);
    assert.equal(await logIn('fe1', 'pop3s', [address, cluster.password]), 'in');
    assert.equal((await client.ask(`${url('fe2')}/api/session`)).status, 200);
  });

  test('nobody changes it from another site, or without a session', async () => {
    const address = await newUser('be1');
    const client = await signIn('fe1', address, cluster.password);
    const body = JSON.stringify({ old: cluster.password, new: 'a much better one' });
    const ask = async (headers: Readonly<Record<string, string>>, who = client): Promise<number> =>
      (await who.ask(`${url('fe1')}/api/password`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status;
    assert.deepEqual([await ask({ origin: 'https://evil.example' }), await ask({ 'waybill-request': '' }), await ask({}, new WebClient())], [403, 403, 401]);
    assert.equal(await logIn('fe1', 'imaps', [address, cluster.password]), 'in');
  });

  test('no password reaches a log', () => {
    for (const node of ['fe1', 'fe2', 'be1', 'be2'] as const) assert.doesNotMatch(cluster.log(node), /a much better one|another long one/);
  });
});

describe('waybill passwd', () => {
  const passwd = async (address: string, input: string, ...more: string[]): ReturnType<typeof run> =>
    run(process.execPath, [programFile, 'passwd', address, '--config', cluster.configFile, ...more], input);

  test('sets it at the provider, says so, ends WebMail sessions; the new one holds everywhere', async () => {
    const address = await newUser('be2');
    const client = await signIn('fe1', address, cluster.password);
    const { code, output, complaint } = await passwd(address, 'set by an administrator\n', '--stdin');
    assert.equal(code, 0, complaint);
    assert.match(output, new RegExp(`the password of ${address} is changed; ldaps://127\\.0\\.0\\.1:\\d+ \\(connector directory\\) took it`));
    await until(async () => await logIn('fe1', 'imaps', [address, 'set by an administrator']) === 'in');
    await holdsEverywhere(address, { old: cluster.password, now: 'set by an administrator' });
    assert.equal((await client.ask(`${url('fe2')}/api/session`)).kind, 'signed-out');
  });

  test('nothing changes for nobody, for an empty password, without a terminal', async () => {
    for (const [outcome, words] of [
      [await passwd('nobody-at-all', 'x\n', '--stdin'), /there is no user nobody-at-all@example\.com/],
      [await passwd('alice', '\n', '--stdin'), /a password is needed/],
      [await passwd('alice', 'x\n'), /there is no terminal to ask on/],
    ] as const) {
      assert.equal(outcome.code, 1);
      assert.match(outcome.complaint, words);
    }
  });

  test('on a terminal it asks twice and shows nothing', async () => {
    const address = await newUser('be1');
    // script(1) gives the command a terminal and writes down what that shows.
    const typed = async (...lines: string[]): Promise<string> => {
      const child = spawn('script', ['-qec', `${process.execPath} ${programFile} passwd ${address} --config ${cluster.configFile}`, '/dev/null'], { timeout: 60_000, killSignal: 'SIGKILL' });
      let shown = '';
      child.stdout.on('data', (data: Buffer) => {
        shown += data.toString();
        const asked = [...shown.matchAll(/New password for [^:]*: |Once more: /g)].length;
        if (asked > 2 - lines.length) child.stdin.write(`${lines.shift() ?? ''}\r`);
      });
      await once(child, 'close');
      return shown;
    };
    const differing = await typed('first words', 'other words');
    assert.match(differing, /New password for .*Once more: .*the two are not the same; nothing was changed/s);
    const good = await typed('typed on a terminal', 'typed on a terminal');
    assert.match(good, /is changed; ldaps/);
    assert.doesNotMatch(good, /typed on/);
    await until(async () => await logIn('fe1', 'imaps', [address, 'typed on a terminal']) === 'in');
  });
});

describe('the page', () => {
  for (const [how, options] of [['desktop', {}], ['phone', { viewport: { width: 390, height: 844 } }]] as const) {
    test(`changes the password and signs out everywhere, on a ${how}`, { timeout: 60_000 }, async () => {
      const address = await newUser('be1');
      if (how === 'phone') {
        await (await signIn('fe2', address, cluster.password)).ask(`${url('fe2')}/api/session`); // the account is made
        const { status } = await askAdmin(cluster, ['fe1', `/api/v1/accounts/${address}/sign-out`], { method: 'POST', headers: basic(me.name, me.password) });
        assert.equal(status, 200);
      }
      const elsewhereClient = await signIn('fe2', address, cluster.password);
      const browser = await openChromium(options);
      try {
        const page = await browser.context.newPage();
        await page.goto(url('fe1'));
        await page.getByLabel('Mail address').fill(address);
        await page.getByLabel('Password').fill(cluster.password);
        await page.getByRole('button', { name: 'Sign in' }).click();
        if (how === 'phone') await page.getByRole('button', { name: 'Folders', exact: true }).click();
        await page.getByRole('button', { name: 'Settings' }).click();
        const dialog = page.getByRole('dialog', { name: 'Settings' });
        const fill = async (old: string, next: string, again = next): Promise<void> => {
          await dialog.getByLabel('Present password').fill(old);
          await dialog.getByLabel('New password', { exact: true }).fill(next);
          await dialog.getByLabel('New password, once more').fill(again);
          await dialog.getByRole('button', { name: 'Change password' }).click();
        };
        const accesses = dialog.getByRole('region', { name: 'Who has had access' });
        if (how === 'phone') await accesses.getByRole('listitem').getByText('admin ended your sessions').waitFor();
        else await accesses.getByText('No administrator has done anything to your account.').waitFor();
        await fill(cluster.password, 'a much better one', 'another');
        await dialog.getByText('The two new passwords are not the same.').waitFor();
        await fill('wrong', 'a much better one');
        await dialog.getByText('The present password is wrong.').waitFor();
        await fill(cluster.password, 'short');
        await dialog.getByText('The directory refuses the new password').waitFor();
        await fill(cluster.password, 'a much better one');
        await dialog.getByText('Your password is changed, and every other browser is signed out.').waitFor();
        assert.equal((await elsewhereClient.ask(`${url('fe2')}/api/session`)).kind, 'signed-out');
        await until(async () => await logIn('fe2', 'imaps', [address, 'a much better one']) === 'in');
        await page.reload();
        await page.getByRole('button', { name: 'Check for new mail' }).waitFor();
        const again = await signIn('fe2', address, 'a much better one');
        if (how === 'phone') await page.getByRole('button', { name: 'Folders', exact: true }).click();
        await page.getByRole('button', { name: 'Settings' }).click();
        await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
        await dialog.getByRole('button', { name: 'Yes, sign out everywhere' }).click();
        await page.getByText('You are signed out here and in every other browser.').waitFor();
        assert.equal((await again.ask(`${url('fe2')}/api/session`)).kind, 'signed-out');
      } finally {
        await browser.close();
      }
    });
  }
});
