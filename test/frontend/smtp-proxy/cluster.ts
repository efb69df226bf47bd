/** An SMTP proxy with two back-ends for tests: real sockets, mTLS and SMTP; the back-ends' minds are set by each test. */
import type { TestContext } from 'node:test';
import { Failure } from '../../../shared/base/failure.ts';
import { TlsSessions } from '../../../shared/net/connect.ts';
import { listen } from '../../../shared/net/listener.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../../shared/smtp/commands.ts';
import { makeReply } from '../../../shared/smtp/reply.ts';
import type { Reply } from '../../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';
import { serveSmtp } from '../../../shared/smtp/server-session.ts';
import type { SmtpPeer } from '../../../shared/smtp/server-session.ts';
import { defaultSmtpLimits } from '../../../shared/smtp/limits.ts';
import { nodeIdentity } from '../../../shared/tls/identity.ts';
import { defaultBackendTimeouts, startSmtpProxy } from '../../../frontend/smtp-proxy/smtp-proxy.ts';
import type { SmtpProxyOptions } from '../../../frontend/smtp-proxy/smtp-proxy.ts';
import { createAuthentication } from '../../../frontend/authentication/authentication.ts';
import type { SaslAuthentication } from '../../../frontend/authentication/authentication.ts';
import { SessionSet } from '../../../frontend/login/session-set.ts';
import { createMapping } from '../../../frontend/mapping/mapping.ts';
import type { Mapping, Route } from '../../../frontend/mapping/mapping.ts';
import type { UserMaps } from '../../../shared/user-map/user-maps.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { certificates, quietLog } from '../../shared/smtp/recording-server.ts';
import { patientGuesses } from '../../harness/guesses.ts';

/** What a back-end was told, and what it is to answer. */
export interface TestBackend {
  readonly node: string;
  port: number;
  readonly mails: { readonly sender: EnvelopeSender; readonly peer: { readonly address: string; readonly hello: string | undefined; readonly protocol: string | undefined; readonly user: string | undefined } }[];
  readonly recipients: string[];
  readonly messages: { readonly text: string; readonly recipients: readonly string[]; readonly custodian: boolean }[];
  readonly ends: ('quit' | 'cut')[];
  /** As custodian: recipients with the nodes that keep their mailboxes. */
  readonly named: string[];
  /** Connections so far. */
  connections: number;
  /** Messages whose 250 the front-end has shown its client to have heard. */
  confirmed: () => number;
  /** Throws or waits to refuse or delay; the default takes everything. */
  onOpen: () => Promise<void> | void;
  onMail: () => Promise<void> | void;
  onRecipient: (recipient: EnvelopeRecipient) => Promise<void> | void;
  onMessage: (bytes: AsyncIterable<Buffer>, recipients: readonly string[]) => Promise<Reply | readonly Reply[] | undefined>;
  /** Cuts every connection. */
  cut: () => void;
  /** Says nothing more on the connections that are open, as a machine does that lost its power. */
  freeze: () => void;
  /** Cuts every connection and refuses new ones. */
  kill: () => Promise<void>;
}

export interface TestCluster {
  readonly mx: number;
  readonly submission: number;
  readonly submissions: number;
  readonly be1: TestBackend;
  readonly be2: TestBackend;
  /** Address → node that the directory names. */
  readonly directory: Map<string, string>;
  directoryUp: boolean;
  readonly stop: (graceMs: number) => Promise<void>;
}

export function refusal(code: number, enhanced: string, text: string): SmtpRefused {
  return new SmtpRefused('test', makeReply(code, enhanced, text));
}

async function collect(bytes: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

interface Transaction {
  readonly peer: SmtpPeer;
  custodian: boolean;
  /** Messages that were answered 250, and no more was said. */
  unconfirmed: number;
}

async function startBackend(t: TestContext, node: string, protocol: 'lmtp' | 'smtp'): Promise<TestBackend> {
  const pems = certificates[node] ?? { certificate: '', key: '', authority: '' };
  const serverTls = createServerTls(pems);
  const open = new Set<SmtpPeer>();
  let confirmed = 0;
  const goneOn = (state: Transaction): void => {
    confirmed += state.unconfirmed;
    state.unconfirmed = 0;
  };
  const backend: TestBackend = {
    node, port: 0, mails: [], recipients: [], messages: [], ends: [], named: [], connections: 0, confirmed: () => confirmed,
    onOpen: () => undefined, onMail: () => undefined, onRecipient: () => undefined, onMessage: async () => Promise.resolve(undefined), cut: () => undefined, freeze: () => undefined, kill: async () => Promise.resolve(),
  };
  const sessions = serveSmtp<Transaction>({
    service: 'smtpReceiving', protocol, hostName: node, encryption: 'implicit', serverTls: () => serverTls, authentication: protocol === 'smtp' ? 'xclient' : 'none', trustedPeers: 'yes',
    extensions: ['XWAYBILL'], extraParameters: ['XWAYBILL-SESSION', 'XWAYBILL-CUSTODIAN', 'XWAYBILL-NODE'], limits: { ...defaultSmtpLimits, maxErrors: Infinity }, greetingDelayMs: 0, log: quietLog,
    replyTo: (thrown) => (thrown instanceof SmtpRefused ? thrown.reply : makeReply(451, '4.3.0', 'test back-end failed')),
    handlers: {
      open: async (peer) => {
        if (nodeIdentity(peer.socket)?.role !== 'frontend') throw refusal(554, '5.7.1', 'no node certificate');
        open.add(peer);
        backend.connections += 1;
        await backend.onOpen();
        return { peer, custodian: false, unconfirmed: 0 };
      },
      authenticate: async (_, { name }) => Promise.resolve(name),
      reset: goneOn,
      mail: async (state, sender) => {
        goneOn(state);
        const { address, forwarded, user } = state.peer;
        backend.mails.push({ sender, peer: { address, hello: forwarded?.hello, protocol: forwarded?.protocol, user } });
        state.custodian = sender.extra?.has('XWAYBILL-CUSTODIAN') ?? false;
        await backend.onMail();
      },
      recipient: async (state, recipient) => {
        if (state.custodian) backend.named.push(`${recipient.address} ${recipient.node ?? '?'}`);
        else await backend.onRecipient(recipient);
        backend.recipients.push(recipient.address);
      },
      message: async (state, bytes, recipients) => {
        const addresses = recipients.map((one) => one.address);
        const decided = await backend.onMessage(bytes, addresses);
        if (decided !== undefined) return decided;
        state.unconfirmed += 1;
        backend.messages.push({ text: await collect(bytes), recipients: addresses, custodian: state.custodian });
        return makeReply(250, '2.6.0', `kept by ${node}`);
      },
      close: (state, how) => {
        open.delete(state.peer);
        if (how === 'quit') goneOn(state);
        backend.ends.push(how);
      },
    },
  });
  const listener = await listen({ host: '127.0.0.1', port: 0, tls: 'implicit', serverTls, requestCertificate: 'yes', protocol: 'smtp', log: quietLog }, (socket) => sessions.accept(socket));
  backend.port = listener.port;
  backend.cut = () => {
    for (const peer of open) peer.socket.destroy();
  };
  backend.freeze = () => {
    for (const peer of open) peer.socket.pause();
  };
  backend.kill = async () => {
    await listener.close();
    backend.cut();
  };
  t.after(async () => backend.kill());
  return backend;
}

/** A directory in memory: the real mapping and authentication stand in front of it. Every password is `secret`. */
function userMapsOf(cluster: Pick<TestCluster, 'directory' | 'directoryUp'>): UserMaps {
  const requireUp = (): void => {
    if (!cluster.directoryUp) throw new Failure('directory-unavailable', 'no directory');
  };
  return {
    lookUp: async (given) => {
      await Promise.resolve();
      requireUp();
      const address = given.replace('alias-', '');
      const mailHost = cluster.directory.get(address);
      return mailHost === undefined ? undefined : { address, mailHost, dn: `mail=${address}`, map: 'test', aliases: [`alias-${address}`], routingAddress: undefined };
    },
    covers: () => true,
    spellings: (address) => [address.toLowerCase()],
    authenticate: async (_, password) => {
      await Promise.resolve();
      requireUp();
      return password === 'secret' ? 'ok' : 'refused';
    },
    mayLogIn: () => true,
    pretend: async () => Promise.resolve(),
    scramSecret: async () => Promise.resolve({ kind: 'password', password: 'secret' }),
    changePassword: async () => Promise.reject(new Error('not asked for here')),
    expand: async () => Promise.resolve({ kind: 'mailbox' }),
  };
}

/** Looks up without memory unless `rememberMs` says so. */
function realMapping(maps: UserMaps, rememberMs: number): Mapping {
  return createMapping({
    maps, primaryDomain: 'example.com', localDomains: [], resolveHost: (node) => ({ kind: 'node', node }), onMiss: 'refuse',
    ages: { positiveMs: rememberMs, negativeMs: rememberMs, staleMs: rememberMs }, maxEntries: 100, log: quietLog,
  });
}

function realAuthentication(maps: UserMaps, mapping: Mapping): SaslAuthentication {
  return createAuthentication({
    mapping, maps, scram: { saltKey: Buffer.from('salts of tests'), iterations: 4096, primaryDomain: 'example.com' }, issuers: [], certificateAddresses: [], verifier: { maxAgeMs: 0, maxEntries: 10 }, guesses: patientGuesses({ free: 100 }), ipv6Prefix: 64, refusalMs: 0, trustedNetworks: [], log: quietLog,
  });
}

/** alice and carol live on be1, bob on be2. `lmtp` back-ends serve the MX, `smtp` ones the submission listeners. */
export async function startCluster(t: TestContext, given: Partial<SmtpProxyOptions> & { readonly leg?: 'lmtp' | 'smtp'; readonly rememberMs?: number } = {}): Promise<TestCluster> {
  const protocol = given.leg ?? 'lmtp';
  const [be1, be2] = await Promise.all([startBackend(t, 'be1', protocol), startBackend(t, 'be2', protocol)]);
  const cluster = { mx: 0, submission: 0, submissions: 0, be1, be2, directory: new Map([['alice@example.com', 'be1'], ['carol@example.com', 'be1'], ['bob@example.com', 'be2'], ['postmaster@example.com', 'be1']]), directoryUp: true, stop: async () => Promise.resolve() };
  const pems = certificates['fe1'] ?? { certificate: '', key: '', authority: '' };
  const target = (backend: TestBackend): { node: string; host: string; port: number; tls: object } => ({
    node: backend.node, host: '127.0.0.1', port: backend.port, tls: { cert: pems.certificate, key: pems.key, ca: pems.authority, servername: 'localhost' },
  });
  const find = (route: Route): ReturnType<typeof target> | undefined => [be1, be2].filter((backend) => route.kind === 'node' && backend.node === route.node).map(target)[0];
  const maps = userMapsOf(cluster);
  const mapping = realMapping(maps, given.rememberMs ?? 0);
  const proxy = await startSmtpProxy({
    listeners: [
      { host: '127.0.0.1', port: 0, kind: 'mx', tls: 'starttls' },
      { host: '127.0.0.1', port: 0, kind: 'submission', tls: 'starttls' },
      { host: '127.0.0.1', port: 0, kind: 'submission', tls: 'implicit' },
    ],
    clusterName: 'test', hostName: 'fe1.example.com', primaryDomain: 'example.com', serverTls: createServerTls(pems), mapping, authentication: realAuthentication(maps, mapping),
    authPolicy: { verifiable: ['PLAIN', 'LOGIN'], plain: [], clearTextLogin: 'no' }, passwordsAt: 'proxy',
    backends: { lmtp: find, submission: find, custodians: () => [be1, be2].map(target) },
    sessions: new TlsSessions(), clients: new SessionSet(), connectTimeoutMs: 1000, backendTimeouts: defaultBackendTimeouts, backendDownMs: 100, limits: defaultSmtpLimits, greetingDelayMs: 0, log: quietLog,
    ...given,
  });
  t.after(async () => proxy.stop(100));
  const [mx = 0, submission = 0, submissions = 0] = proxy.ports;
  return Object.assign(cluster, { mx, submission, submissions, stop: async (graceMs: number) => proxy.stop(graceMs) });
}

/** A client of the MX listener that has said EHLO. */
export async function mxClient(t: TestContext, cluster: TestCluster): Promise<Dialogue> {
  const client = await Dialogue.connect({ port: cluster.mx });
  t.after(() => client.close());
  await client.reply(/^220 fe1\.example\.com ESMTP/);
  await client.ask('EHLO mail.example.net', 250);
  return client;
}

/** Sends MAIL, RCPT and DATA, all accepted, and the message; the reply to it is still to come. */
export async function sendMessage(client: Dialogue, recipients: readonly string[], text = 'Subject: hello\r\n\r\nbody\r\n'): Promise<void> {
  await client.ask('MAIL FROM:<sender@example.net>', 250);
  for (const recipient of recipients) await client.ask(`RCPT TO:<${recipient}>`, 250);
  await client.ask('DATA', 354);
  client.sayRaw(`${text}.\r\n`);
}
