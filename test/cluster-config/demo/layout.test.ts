/** The demo on paper: its fixed ports, its configuration, its table, its directory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeListeners } from '../../../cluster-config/checks.ts';
import { demoConfigText } from '../../../cluster-config/demo/config-text.ts';
import { demoDirectoryText } from '../../../cluster-config/demo/directory-seed.ts';
import { demoLayout, highestPortBase } from '../../../cluster-config/demo/layout.ts';
import { summary } from '../../../cluster-config/demo/summary.ts';
import { parseConfig } from '../../../cluster-config/load.ts';
import { parseLdif } from '../../../shared/directory/ldif.ts';

const layout = demoLayout('/data', 10_000);
const config = parseConfig(demoConfigText(layout), layout.configFile);

/** `service kind tls trusted` by port. */
function portsOf(name: string): Readonly<Record<string, string>> {
  const node = config.nodes[name];
  assert.ok(node);
  return Object.fromEntries(activeListeners(node.services, node.role).map(({ path, listener }) => {
    const kind = 'kind' in listener ? ` ${String(listener.kind)}` : '';
    return [listener.address.replace('127.0.0.1:', ''), `${String(path[1])}${kind} ${listener.tls ?? 'implicit'}${listener.trusted === true ? ' trusted' : ''}`];
  }));
}

test('the ports are those that people write down', () => {
  assert.deepEqual(portsOf('fe1'), {
    10025: 'smtpProxy mx starttls', 10587: 'smtpProxy submission starttls', 10465: 'smtpProxy submission implicit',
    10143: 'imapProxy starttls', 10993: 'imapProxy implicit', 10110: 'pop3Proxy starttls', 10995: 'pop3Proxy implicit',
    10443: 'webmailProxy implicit', 10900: 'admin implicit',
  });
  assert.deepEqual(Object.keys(portsOf('fe2')), Object.keys(portsOf('fe1')).map((port) => String(Number(port) + 10_000)));
  assert.deepEqual(portsOf('be1'), {
    30024: 'smtpReceiving lmtp implicit trusted', 30025: 'smtpReceiving mx starttls', 30465: 'smtpReceiving submission implicit trusted',
    30143: 'imap starttls', 30993: 'imap implicit trusted', 30110: 'pop3 starttls', 30995: 'pop3 implicit trusted',
    30443: 'webmail implicit trusted', 30900: 'admin implicit',
  });
  assert.deepEqual(Object.keys(portsOf('be2')), Object.keys(portsOf('be1')).map((port) => String(Number(port) + 1000)));
  assert.deepEqual([layout.directory.ldap, layout.directory.ldaps], [10_389, 10_636]);
});

test('with the highest base every port stays below those that the system gives away', () => {
  const highest = demoLayout('/data', highestPortBase);
  const { nodes } = parseConfig(demoConfigText(highest), highest.configFile);
  const ports = Object.values(nodes).flatMap((node) => activeListeners(node.services, node.role).map(({ listener }) => Number(listener.address.split(':')[1])));
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(Math.max(...ports) < 32_768);
});

test('the table names every port, the users and the way to stop', () => {
  const text = summary(config, layout);
  for (const name of ['fe1', 'fe2', 'be1', 'be2']) for (const port of Object.keys(portsOf(name))) assert.match(text, new RegExp(`\\b${port}\\b`), `${port} of ${name}`);
  for (const words of ['10389', '10636', 'https://localhost:10443/', 'alice carol erin grace ivan (on be1)', 'waybill-demo', '/data', 'Ctrl-C']) assert.ok(text.includes(words), words);
});

test('the directory begins with the users, alternately on both back-ends, and no password in clear', () => {
  const records = parseLdif(demoDirectoryText('reader-secret'));
  const hosts: Readonly<Record<string, string>> = Object.fromEntries(records.flatMap(({ attributes }): [string, string][] => {
    const value = (name: string): string | undefined => attributes.find((attribute) => attribute.name === name)?.values[0]?.toString();
    return value('mail') === undefined ? [] : [[value('mail') ?? '', value('mailHost') ?? '']];
  }));
  assert.equal(Object.keys(hosts).length, 11);
  assert.deepEqual([hosts['alice@example.com'], hosts['bob@example.com'], hosts['judy@example.com'], hosts['postmaster@example.com']], ['be1', 'be2', 'be2', 'be1']);
  const text = demoDirectoryText('reader-secret');
  for (const secret of ['waybill-demo', 'reader-secret']) assert.ok(!text.includes(secret) && !text.includes(Buffer.from(secret).toString('base64')), secret);
});
