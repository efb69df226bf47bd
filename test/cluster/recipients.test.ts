/** Whom an address reaches, with entries in Debian's slapd: forwarding, groups, domain aliases, catch-all, details; and who may log in by what. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { guesser } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { newMessage } from '../harness/messages.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';
import { SmtpSession, deliver } from '../harness/smtp-session.ts';
import { startWorld } from '../harness/world.ts';
import type { World } from '../harness/world.ts';


const parameters = `
  domainAliases: { alias.example: example.com }
  domains: [other.example]
  catchAll: { other.example: bob@example.com }
  detailSeparator: "-"
  allowAliasLogins: false
  expansion: { maxDepth: 4, maxMembers: 20 }`;

const people = 'ou=people,dc=example,dc=com';

function person(name: string, lines: readonly string[]): string {
  return [
    `dn: uid=${name},${people}`, 'objectClass: inetOrgPerson', 'objectClass: inetLocalMailRecipient', `uid: ${name}`, `cn: ${name}`, `sn: ${name}`,
    `mail: ${name}@example.com`, 'userPassword: waybill-demo', ...lines, '',
  ].join('\n');
}

function group(name: string, members: readonly string[]): string {
  return [
    `dn: cn=${name},dc=example,dc=com`, 'objectClass: groupOfNames', 'objectClass: extensibleObject', `cn: ${name}`, `mail: ${name}@example.com`,
    ...members.map((member) => `member: ${member}`), '',
  ].join('\n');
}

const chain = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => group(`chain${String(from + index)}`, [`cn=chain${String(from + index + 1)},dc=example,dc=com`]));

const entries = [
  person('only', ['mailRoutingAddress: only@outside.example']),
  person('both', ['mailHost: be1', 'mailRoutingAddress: both@outside.example']),
  person('self', ['mailHost: be2', 'mailRoutingAddress: self@example.com']),
  person('ping', ['mailRoutingAddress: pong@example.com']),
  person('pong', ['mailRoutingAddress: ping@example.com']),
  person('next', ['mailRoutingAddress: alice@example.com']),
  person('nick', ['mailHost: be1', 'mailLocalAddress: nickname@example.com']),
  group('team', [`uid=alice,${people}`, `uid=bob,${people}`, `uid=only,${people}`, 'cn=inner,dc=example,dc=com', `uid=nobody,${people}`]),
  group('inner', [`uid=alice,${people}`, `uid=carol,${people}`, 'cn=team,dc=example,dc=com']),
  group('ring', ['cn=ring2,dc=example,dc=com']),
  group('ring2', ['cn=ring,dc=example,dc=com']),
  group('crowd', Array.from({ length: 21 }, (_, index) => `uid=u${String(index)},${people}`)),
  group('empty', [`uid=nobody,${people}`]),
  ...chain(1, 8),
].join('\n');

let world: World;
let cluster: Cluster;

before(async () => {
  world = await startWorld();
  const routes = `backends: { services: { smtpSending: { routes: [{ domain: "*", host: 127.0.0.1, port: ${String(world.port)} }] } } }`;
  cluster = await startCluster({
    directory: 'slapd', nodes: ['be1', 'be2', 'fe1'],
    changeConfig: (yaml) => yaml.replace('\nnodes:\n', `\n${routes}\n\nnodes:\n`).replace('  ldapConnectors:', `${parameters.slice(1)}\n  ldapConnectors:`).replace('      searchBase:', '      groups: {}\n      searchBase:'),
  });
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const { code, complaint } = await runTool('ldapadd', { uri, as: [adminDn, adminPassword], input: entries });
  assert.equal(code, 0, complaint);
});
after(async () => {
  await cluster.stop();
  await world.close();
});

interface Sent {
  readonly to: readonly string[];
  readonly by?: 'mx' | 'submission';
}

/** A message that is taken; answers its subject. */
async function send({ to, by = 'mx' }: Sent): Promise<string> {
  const from = by === 'mx' ? 'sender@example.net' : 'dave@example.com';
  const { subject, bytes } = newMessage({ from });
  assert.match(await attempt({ to, by }, bytes), /^250 /);
  return subject;
}

async function attempt({ to, by = 'mx' }: Sent, bytes = newMessage().bytes): Promise<string> {
  if (by === 'mx') return deliver(cluster, 'fe1', { from: 'sender@example.net', to, bytes });
  const smtp = await SmtpSession.connect(cluster, 'fe1', 'submissions');
  try {
    assert.match(await smtp.authenticate('dave', cluster.password), /^235 /);
    return await smtp.send({ from: 'dave@example.com', to, bytes });
  } finally {
    smtp.close();
  }
}

async function isWith(user: string, subject: string, count = 1): Promise<void> {
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
  await imap.findSoon(subject, { count });
  imap.close();
}

for (const by of ['mx', 'submission'] as const) {
  test(`a routing address without a mail host forwards, with the sender kept: ${by}`, async () => {
    const subject = await send({ to: ['only@example.com'], by });
    const arrived = await world.next(subject);
    assert.deepEqual({ from: arrived.from, to: arrived.to }, { from: by === 'mx' ? 'sender@example.net' : 'dave@example.com', to: ['only@outside.example'] });
  });

  test(`with a mail host the mailbox keeps a copy: ${by}`, async () => {
    const subject = await send({ to: ['both@example.com'], by });
    assert.deepEqual((await world.next(subject)).to, ['both@outside.example']);
    await isWith('both', subject);
  });

  test(`a group's members get a message once each, whatever leads to them, and so do the other recipients: ${by}`, async () => {
    const subject = await send({ to: ['team@example.com', 'alice@example.com', 'erin@example.com'], by });
    assert.deepEqual((await world.next(subject)).to, ['only@outside.example']);
    for (const user of ['bob', 'carol', 'erin', 'alice']) await isWith(user, subject);
    assert.equal(world.arrived.filter(({ bytes }) => bytes.includes(subject)).length, 1);
  });

  test(`what leads nowhere is refused at once: ${by}`, async () => {
    for (const [address, reply] of [
      ['ping@example.com', /^550 5\.4\.6 /], ['ring@example.com', /^550 5\.4\.6 /], ['crowd@example.com', /^550 5\.2\.4 .*too many/],
      ['chain1@example.com', /^550 5\.2\.4 .*too deep/], ['empty@example.com', /^550 5\.2\.4 .*no members/],
    ] as const) assert.match(await attempt({ to: [address], by }), reply, address);
  });

  test(`domain aliases, details and catch-all lead to the mailbox: ${by}`, async () => {
    for (const [address, user] of [['carol@alias.example', 'carol'], ['carol-news@example.com', 'carol'], ['Carol-a-b@alias.example', 'carol'], ['anybody@other.example', 'bob'], ['next@example.com', 'alice']] as const) {
      await isWith(user, await send({ to: [address], by }));
    }
    assert.match(await attempt({ to: ['anybody@alias.example'], by }), /^550 5\.1\.1 /);
    assert.match(await attempt({ to: ['carol+news@example.com'], by }), /^550 5\.1\.1 /);
  });
}

test('a routing address that is the user\'s own means the mailbox', async () => {
  await isWith('self', await send({ to: ['self@example.com'] }));
});

test('only the own address logs in where aliases may not; groups, catch-all and who only forwards never do', async () => {
  const says = async (name: string): Promise<string> => {
    const imap = await ImapSession.connect(cluster, 'fe1', { from: guesser });
    const { completion } = await imap.run(`LOGIN ${name} waybill-demo`);
    imap.close();
    return completion;
  };
  for (const name of ['nick', 'nick@example.com', 'NICK@alias.example']) assert.match(await says(name), /^OK/, name);
  for (const name of ['nickname@example.com', 'nick-x@example.com', 'anybody@other.example', 'team@example.com', 'only@example.com']) assert.match(await says(name), /^NO \[AUTHENTICATIONFAILED\]/, name);
});

test('map check wants no host of groups and of who only forwards', async () => {
  const { output } = await run(process.execPath, [programFile, 'map', 'check', '--config', cluster.configFile]);
  assert.match(output, /^\d+ entries, /m);
  assert.doesNotMatch(output, /^no-host/m);
});

test('an outage during expansion is temporary, and the group is whole again afterwards', async () => {
  await cluster.stopDirectory();
  assert.match(await attempt({ to: ['team@example.com'] }), /^451 4\.4\.3 /);
  assert.match(await attempt({ to: ['inner@example.com'] }), /^451 4\.4\.3 /);
  await cluster.startDirectory();
  const deadline = Date.now() + 45_000;
  for (;;) {
    const { subject, bytes } = newMessage();
    const reply = await attempt({ to: ['team@example.com'] }, bytes);
    if (reply.startsWith('250')) {
      for (const user of ['alice', 'bob', 'carol']) await isWith(user, subject);
      return;
    }
    assert.ok(reply.startsWith('451') && Date.now() < deadline, reply);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});
