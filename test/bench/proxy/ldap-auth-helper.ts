/**
 * Answers nginx' questions (ngx_mail_auth_http_module): searches the user, binds as the entry, and says which server keeps the
 * mailbox. A process of its own: port, directory, search base, and the back-end's ports for IMAP and POP3.
 */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { pino } from 'pino';
import { createConnector } from '../../../shared/ldap/connector.ts';

const [port = '', uri = '', searchBase = '', imapPort = '', pop3Port = ''] = process.argv.slice(2);
const directory = createConnector({
  name: 'helper', uris: [uri], searchBase, scope: 'sub', timeoutMs: 10_000, connections: 8, log: pino({ level: 'error' }),
});

async function answer(headers: IncomingHttpHeaders): Promise<Readonly<Record<string, string>>> {
  const word = (name: string): string => decodeURIComponent([headers[name] ?? ''].flat()[0] ?? '');
  const [entry] = await directory.search({ kind: 'equal', attribute: 'mail', value: word('auth-user') }, ['mailHost'], { sizeLimit: 2 });
  const host = entry?.attributes.get('mailhost')?.[0];
  if (entry === undefined || host === undefined || (await directory.bind(entry.dn, word('auth-pass'))) !== 'ok') {
    return { 'Auth-Status': 'Invalid login or password', 'Auth-Wait': '3' };
  }
  return { 'Auth-Status': 'OK', 'Auth-Server': String(host), 'Auth-Port': word('auth-protocol') === 'pop3' ? pop3Port : imapPort };
}

createServer((request, response) => {
  answer(request.headers).then((headers) => response.writeHead(200, headers).end(), (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    response.writeHead(500).end();
  });
}).listen(Number(port), '127.0.0.1');
