/** Each proxy with user maps, default back-end and connections of its own; what is counted of all that. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession } from '../harness/smtp-session.ts';

let cluster: Cluster;
let commands: CommandRunner;

before(async () => {
  cluster = await startCluster({
    nodes: ['be1', 'be2', 'fe1', 'fe2'],
    changeConfig: (yaml) => yaml.replace('  userMaps:\n', `
    - name: directory-of-few
      uris: ["ldaps://127.0.0.1:1", ${/ldaps:\/\/127\.0\.0\.1:\d+/.exec(yaml)?.[0] ?? ''}]
      ca: tls/authority.pem
      bindDn: cn=waybill,dc=example,dc=com
      bindPassword: { file: ${/bindPassword: \{ file: (\S+) \}/.exec(yaml)?.[1] ?? ''} }
      searchBase: dc=example,dc=com
      searchPattern: "(&(mail=%e)(uid=carol))"
  userMaps:
    - { name: few, type: ldapBind, connector: directory-of-few }
`).replace('\nnodes:\n', `
frontends:
  workers: 2
  services:
    imapProxy: { userMaps: [users], maxConnectionsPerBackend: 4, localInterface: 127.0.0.77 }
    pop3Proxy: { userMaps: [few] }
    smtpProxy: { userMaps: [], mappingHost: 127.0.0.1, mappingPort: ${String(backendPort(yaml, 'lmtp'))} }

nodes:
`),
  });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
});

/** The port of be1's LMTP listener, which tells it from be2 on the same host. */
function backendPort(yaml: string, kind: string): number {
  return Number(new RegExp(`be1:[^]*?127\\.0\\.0\\.1:(\\d+)", kind: ${kind}`).exec(yaml)?.[1]);
}

async function waybill(...words: string[]): Promise<string> {
  const { code, output, complaint } = await commands.run(words);
  assert.equal(code, 0, complaint);
  return output;
}

test('a service asks the maps that it names and no others', async () => {
  const user = await addPerson(cluster, 'be1');
  (await ImapSession.logIn(cluster, { node: 'fe1', user })).close();
  const pop3 = await Pop3Session.connect(cluster, 'fe1');
  await pop3.ok(`USER ${user}`);
  assert.match(await pop3.run(`PASS ${cluster.password}`), /^-ERR \[AUTH\]/);
  await pop3.ok('USER carol');
  assert.match(await pop3.run(`PASS ${cluster.password}`), /^\+OK/);
  pop3.close();
  for (const [service, kind] of [['imapProxy', 'found'], ['pop3Proxy', 'unknown']] as const) {
    assert.equal((JSON.parse(await waybill('map', 'show', user, '--service', service, '--json')) as { kind: string }).kind, kind);
  }
});

test('a service without maps sends everybody to its own default back-end, which its port tells from its neighbours', async () => {
  const shown = JSON.parse(await waybill('map', 'show', 'whoever', '--service', 'smtpProxy', '--json')) as object;
  assert.deepEqual({ ...shown, asked: undefined }, { address: 'whoever@example.com', account: 'whoever@example.com', kind: 'found', from: 'default', route: { kind: 'node', node: 'be1' }, asked: undefined });
  const smtp = await SmtpSession.connect(cluster, 'fe1');
  await smtp.say('MAIL FROM:<sender@example.net>');
  assert.match(await smtp.say('RCPT TO:<whoever@example.com>'), /^550 5\.1\.1/, 'be1 knows all maps, and refuses');
  smtp.close();
  assert.match(await waybill('map', 'show', 'whoever'), /none: the address is refused as unknown/);
});

interface Stats {
  readonly nodes: readonly { readonly node: string; readonly role: string; readonly workers: readonly WorkerStats[] }[];
}
interface WorkerStats {
  readonly mapping: Record<string, number>;
  readonly logins: Record<string, number>;
  readonly connectors: Record<string, Record<string, number>>;
}

type Figure = (worker: WorkerStats) => number | undefined;

/** The sum of each figure over all workers of all front-ends, or back-ends: one question for all figures. */
async function counted(figures: readonly Figure[], role = 'frontend'): Promise<number[]> {
  const { nodes } = JSON.parse(await waybill('map', 'stats', '--json')) as Stats;
  assert.deepEqual(nodes.map(({ node, workers }) => [node, workers.length]), [['fe1', 2], ['fe2', 2], ['be1', 1], ['be2', 1]]);
  const workers = nodes.filter((each) => each.role === role).flatMap((each) => each.workers);
  return figures.map((figure) => workers.reduce((total, worker) => total + (figure(worker) ?? 0), 0));
}

test('logins, refusals and the operations they cost at the directory are counted over all workers', async () => {
  const user = await addPerson(cluster, 'be1');
  const figures = {
    accepted: ({ logins }: WorkerStats) => logins['accepted'], refused: ({ logins }: WorkerStats) => logins['refused'], operations: ({ logins }: WorkerStats) => logins['operations'],
    binds: ({ connectors }: WorkerStats) => connectors['directory']?.['passwordBinds'], searches: ({ connectors }: WorkerStats) => connectors['directory']?.['searches'],
    serviceBinds: ({ connectors }: WorkerStats) => connectors['directory']?.['serviceBinds'],
  };
  const names = Object.keys(figures) as (keyof typeof figures)[];
  const before = await counted(names.map((name) => figures[name]));
  for (let count = 0; count < 3; count += 1) (await ImapSession.logIn(cluster, { node: 'fe1', user, service: 'imap' })).close();
  const imap = await ImapSession.connect(cluster, 'fe1');
  await imap.run(`LOGIN ${user} wrong`);
  imap.close();
  const now = await counted(names.map((name) => figures[name]));
  const grown = Object.fromEntries(names.map((name, index) => [name, (now[index] ?? 0) - (before[index] ?? 0)]));
  // A search and a bind for each; after a refusal one more search, whether the entry is still there.
  const { operations = 0, serviceBinds = 0, ...others } = grown;
  assert.deepEqual(others, { accepted: 3, refused: 1, binds: 4, searches: 5 });
  // A login that opens a connection to the directory, because none is idle, has the service's own bind on its bill.
  assert.ok(operations >= 9 && operations <= 9 + serviceBinds, `${String(operations)} operations, ${String(serviceBinds)} binds of the service`);
  assert.match(await waybill('map', 'stats'), /^NODE +WORKERS +HITS +MISSES .*\nfe1 +2 +\d+ .* 2\.\d\d\nfe2 +2 .* -\nbe1 +1 +0 .*\nbe2 +1 .*\nall frontends +4 .* 2\.\d\d\nall backends +2 .*\n$/);
});

test('back-ends count the passwords that they check, and what they ask', async () => {
  const user = await addPerson(cluster, 'be1');
  const figures = [({ logins }: WorkerStats) => logins['accepted'], ({ logins }: WorkerStats) => logins['refused'], ({ connectors }: WorkerStats) => connectors['directory']?.['passwordBinds'], ({ mapping }: WorkerStats) => mapping['questions']];
  const sums = async (): Promise<number[]> => counted(figures, 'backend');
  const before = await sums();
  (await ImapSession.logIn(cluster, { node: 'be1', user })).close();
  const imap = await ImapSession.connect(cluster, 'be1');
  await imap.run(`LOGIN ${user} wrong`);
  imap.close();
  assert.deepEqual((await sums()).map((sum, index) => sum - (before[index] ?? 0)), [1, 1, 2, 2]);
});

test('answers from the cache are told from questions', async () => {
  const user = await addPerson(cluster, 'be1');
  const figures: readonly Figure[] = [({ mapping }) => mapping['hits'], ({ mapping }) => mapping['questions']];
  const [hits = 0, questions = 0] = await counted(figures);
  for (let count = 0; count < 6; count += 1) await waybill('map', 'show', user);
  const [hitsNow = 0, questionsNow = 0] = await counted(figures);
  const more = { hits: hitsNow - hits, questions: questionsNow - questions };
  assert.equal(more.hits + more.questions, 6);
  assert.ok(more.questions >= 1 && more.questions <= 2, JSON.stringify(more));
});

test('connections to a back-end come from the address that is configured, and there are no more than allowed', async () => {
  const user = await addPerson(cluster, 'be1');
  const open: ImapSession[] = [];
  let late: ImapSession;
  for (;;) {
    late = await ImapSession.connect(cluster, 'fe1');
    const { completion } = await late.run(`LOGIN ${user} ${cluster.password}`);
    if (!completion.startsWith('OK')) {
      assert.match(completion, /^NO \[UNAVAILABLE\] the mail server has too many connections/);
      break;
    }
    open.push(late);
  }
  // Two workers, each with four places: how the system deals out connections says which is full first.
  assert.ok(open.length >= 4 && open.length <= 8, String(open.length));
  await logLine(cluster, 'be1', ['"client":"127.0.0.77"', '"frontend":"fe1"', 'session begins']);
  for (const session of open) session.close();
  for (;;) {
    const { completion } = await late.run(`LOGIN ${user} ${cluster.password}`);
    if (completion.startsWith('OK')) break;
    assert.match(completion, /^NO \[UNAVAILABLE\]/);
  }
  late.close();
});
