/**
 * The embedded LDAP directory, for one machine and for tests: `startDirectory` opens the LDAP and LDAPS ports over an LDIF
 * file. A real cluster uses OpenLDAP or Active Directory instead.
 */
import ldapjs from 'ldapjs';
import { once } from 'node:events';
import { element } from '../ldap/ber.ts';
import { askedPage, pageControls } from '../ldap/ldapjs-paging.ts';
import { hashPassword, isHashed } from '../ldap/password-hash.ts';
import type { Logger } from '../log/log.ts';
import { authorisationId } from './access.ts';
import { withOperational } from './changes.ts';
import { DirectoryService } from './directory-service.ts';
import { formatDn, NameSyntaxError, parseDn } from './dn.ts';
import type { DistinguishedName } from './dn.ts';
import type { DirectoryEntry } from './entry.ts';
import { EntryStore } from './entry-store.ts';
import { openLdapListener, succeed } from './ldap-listener.ts';
import type { Serve, Session } from './ldap-listener.ts';
import { readAttributes, readFilter, readModifications } from './ldapjs-messages.ts';
import type {
  AddMessage, BindMessage, CompareMessage, DeleteMessage, Message, ModifyMessage, PasswordModifyMessage, RenameMessage, Response, SearchMessage,
  SearchResponse,
} from './ldapjs-messages.ts';
import { Refusal } from './result.ts';
import { passwordModifyOid, whoAmIOid } from './root-dse.ts';
import { selectAttributes } from './selection.ts';

export interface DirectoryOptions {
  readonly host: string;
  /** LDAP; 0: any free port. */
  readonly port: number;
  /** LDAPS, with the certificate and key (PEM) beside it; 0: any free port. */
  readonly tls?: { readonly port: number; readonly cert: string; readonly key: string } | undefined;
  /** The entry that everything lies below, `dc=example,dc=com`. */
  readonly baseDn: string;
  readonly adminDn: string;
  readonly adminPassword: string;
  /** The LDIF file; made when absent. Clear-text passwords found in it are hashed at the start. */
  readonly file: string;
  readonly log: Logger;
}

export interface RunningDirectory {
  readonly port: number;
  readonly tlsPort: number | undefined;
  /** Closes ports and connections; a change that is under way is still brought to the disk. */
  close(): Promise<void>;
}

/** Starts the directory. @throws the system's error for ports and file, LdifError for the file's content */
export async function startDirectory(options: DirectoryOptions): Promise<RunningDirectory> {
  const store = await EntryStore.open(options.file, prepareEntry);
  const service = new DirectoryService({
    store, base: parseDn(options.baseDn), adminDn: parseDn(options.adminDn), adminPassword: options.adminPassword, log: options.log,
  });
  const common = { host: options.host, log: options.log, mount: (server: ldapjs.Server, serve: Serve) => { mount(server, serve, service); } };
  const plain = await openLdapListener({ ...common, port: options.port, tls: undefined });
  const secure = options.tls === undefined ? undefined : await openLdapListener({ ...common, port: options.tls.port, tls: options.tls });
  return {
    port: plain.port,
    tlsPort: secure?.port,
    close: async () => {
      await Promise.all([plain.close(), secure?.close()]);
      await store.settled();
    },
  };
}

/** What an administrator wrote into the file by hand gets what an added entry gets: hashed passwords, the server's attributes. */
function prepareEntry(entry: DirectoryEntry): DirectoryEntry {
  const passwords = entry.attributes.get('userpassword');
  const clear = passwords?.values.some((value) => !isHashed(value.toString('utf8'))) ?? false;
  if (!clear && entry.attributes.has('entryuuid')) return entry;
  const attributes = new Map(entry.attributes);
  if (passwords !== undefined && clear) {
    const hash = (value: Buffer): Buffer => (isHashed(value.toString('utf8')) ? value : Buffer.from(hashPassword(value.toString('utf8'))));
    attributes.set('userpassword', { name: passwords.name, values: passwords.values.map(hash) });
  }
  return withOperational({ dn: entry.dn, attributes }, entry.attributes.has('entryuuid') ? 'changed' : 'new');
}

function mount(server: ldapjs.Server, serve: Serve, service: DirectoryService): void {
  server.bind('', serve<BindMessage, Response>(async (session, message, response) => {
    session.identity = { kind: 'anonymous' }; // also after a bind that fails: RFC 4511 section 4.2.1
    if (message.credentials === null) throw new Refusal('protocolError', 'the password is cut off');
    session.identity = await service.bind(dnOf(message.name), message.credentials);
    succeed(response);
  }));
  server.search('', serve<SearchMessage, SearchResponse>(async (session, message, response) => {
    await search(service, { session, message, response });
  }));
  server.compare('', serve<CompareMessage, Response>((session, message, response) => {
    const outcome = service.compare(session.identity, dnOf(message.entry), { attribute: message.attribute, value: Buffer.from(message.value) });
    succeed(response, outcome === 'same' ? 'compareTrue' : 'compareFalse');
  }));
  mountChanges(server, serve, service);
  server.exop(whoAmIOid, serve<Message, Response>((session, _message, response) => {
    response.responseValue = authorisationId(session.identity);
    succeed(response);
  }));
  server.exop(passwordModifyOid, serve<PasswordModifyMessage, Response>(async (session, { requestValue = {} }, response) => {
    const target = requestValue.userIdentity?.replace(/^dn:/i, '');
    const made = await service.changePassword(session.identity, {
      target: target === undefined || target === '' ? undefined : dnOf(target),
      oldPassword: requestValue.oldPassword, newPassword: requestValue.newPassword,
    });
    // PasswdModifyResponseValue (RFC 3062 section 2): SEQUENCE { genPasswd [0] }
    if (made !== undefined) response._writeResponse = (ber) => { ber.writeBuffer(element(0x30, element(0x80, Buffer.from(made))), 0x8b); };
    succeed(response);
  }));
}

function mountChanges(server: ldapjs.Server, serve: Serve, service: DirectoryService): void {
  server.add('', serve<AddMessage, Response>(async (session, message, response) => {
    await service.add(session.identity, dnOf(message.entry), readAttributes(message.attributes));
    succeed(response);
  }));
  server.modify('', serve<ModifyMessage, Response>(async (session, message, response) => {
    await service.modify(session.identity, dnOf(message.object), readModifications(message));
    succeed(response);
  }));
  server.del('', serve<DeleteMessage, Response>(async (session, message, response) => {
    await service.delete(session.identity, dnOf(message.entry));
    succeed(response);
  }));
  server.modifyDN('', serve<RenameMessage, Response>(async (session, message, response) => {
    const [newName, ...more] = dnOf(message.newRdn);
    if (newName === undefined || more.length > 0) throw new Refusal('invalidDNSyntax', 'the new name must be one level');
    await service.rename(session.identity, dnOf(message.entry), {
      newName, deleteOldName: message.deleteOldRdn ? 'yes' : 'no', newParent: message.newSuperior === undefined ? undefined : dnOf(message.newSuperior),
    });
    succeed(response);
  }));
}

async function search(service: DirectoryService, { session, message, response }: {
  session: Session; message: SearchMessage; response: SearchResponse;
}): Promise<void> {
  const scope = (['base', 'one', 'sub'] as const)[message.scope];
  if (scope === undefined) throw new Refusal('protocolError', 'unknown scope');
  const page = pageOf(message);
  const { entries, limited, next } = service.search(session.identity, {
    base: dnOf(message.baseObject), scope, filter: readFilter(message.filter), sizeLimit: message.sizeLimit, page,
  });
  const typesOnly = message.typesOnly ? 'yes' : 'no';
  for (const entry of entries) {
    const attributes = selectAttributes(entry, message.attributes, typesOnly)
      .map(({ name, values }) => new ldapjs.Attribute({ type: name, values }));
    response.send(response.createSearchEntry({ objectName: asLdapjsName(entry.dn), attributes }));
    if (message.connection.writableNeedDrain) await Promise.race([once(message.connection, 'drain'), once(message.connection, 'close')]);
    if (message.connection.destroyed) return;
  }
  if (limited === 'yes') throw new Refusal('sizeLimitExceeded', '');
  if (page !== undefined) response.controls = [...pageControls({ size: 0, cookie: Buffer.from(next === undefined ? '' : String(next)) })];
  succeed(response);
}

/** The page that is asked for. @throws Refusal for a cookie that is none of ours */
function pageOf({ controls }: SearchMessage): { readonly size: number; readonly from: number } | undefined {
  const asked = askedPage(controls);
  if (asked === undefined) return undefined;
  const cookie = asked.cookie.toString('latin1');
  if (!/^\d{0,9}$/.test(cookie) || asked.size < 0) throw new Refusal('protocolError', 'not a page of this directory');
  return { size: Math.max(1, asked.size), from: Number(cookie) };
}

function dnOf(name: { toString(): string }): DistinguishedName {
  try {
    return parseDn(String(name));
  } catch (error) {
    if (error instanceof NameSyntaxError) throw new Refusal('invalidDNSyntax', error.message);
    throw error;
  }
}

/** ldapjs knows its own names by their tag; writing ours as they are saves it the parsing and keeps the spelling. */
function asLdapjsName(dn: DistinguishedName): { toString(): string } {
  return { [Symbol.toStringTag]: 'LdapDn', toString: () => formatDn(dn) } as { toString(): string };
}
