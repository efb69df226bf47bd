/**
 * Stands between LDAP clients and a real directory, speaks TLS with the clients, understands LDAP's framing (RFC 4511
 * section 5.1) and spoils the directory's answers on request.
 */
import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';

export type LdapFault =
  | { readonly kind: 'none' }
  /** Every answer comes so late. */
  | { readonly kind: 'late'; readonly delayMs: number }
  /** Instead of the answer a result code (RFC 4511 appendix A), without entries. */
  | { readonly kind: 'result'; readonly code: number; readonly of: 'searches' | 'everything' }
  /** The connection ends in the middle of an entry, or before the result that follows it. */
  | { readonly kind: 'cut'; readonly where: 'in an entry' | 'before the result' }
  | { readonly kind: 'garbage' | 'other message id' }
  /** So many bytes at the end of an entry are missing, though the lengths of what they belong to announce them. */
  | { readonly kind: 'truncated entry'; readonly missingBytes: number }
  /** Whatever is made of each answer's bytes. */
  | { readonly kind: 'spoilt'; readonly spoil: (answer: Buffer) => Buffer }
  /** The first entry again and again, and never a result. */
  | { readonly kind: 'endless entries' };

const searchEntry = 0x64;
const searchDone = 0x65;
const bindDone = 0x61;
const referral = 10;

interface Certificate { readonly certificate: string; readonly key: string }

export class LdapFaultProxy {
  readonly #server: tls.Server;
  readonly #sockets = new Set<net.Socket>();
  #port = 0;
  #listening = false;
  /** The loopback port of the directory; may change at any time, and holds for new connections. */
  target: number;
  /** May change at any time; open connections follow. */
  fault: LdapFault = { kind: 'none' };
  /** The most connections that were open at once. */
  mostConnections = 0;
  #open = 0;

  private constructor(target: number, certificate: Certificate) {
    this.target = target;
    this.#server = tls.createServer({ cert: certificate.certificate, key: certificate.key }, (client) => { this.#serve(client); });
    this.#server.on('connection', (socket) => { this.#keep(socket); });
    this.#server.on('tlsClientError', () => undefined); // who doesn't like the certificate
  }

  /** Listens on a free loopback port, in front of the directory at the loopback port `target`. */
  static async start(target: number, certificate: Certificate): Promise<LdapFaultProxy> {
    const proxy = new LdapFaultProxy(target, certificate);
    await proxy.accept();
    return proxy;
  }

  get uri(): string {
    return `ldaps://127.0.0.1:${String(this.#port)}`;
  }

  useCertificate({ certificate, key }: Certificate): void {
    this.#server.setSecureContext({ cert: certificate, key });
  }

  /** Stops listening and cuts all connections. */
  async refuse(): Promise<void> {
    this.cutAll();
    if (!this.#listening) return;
    this.#listening = false;
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#listening) return;
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#listening = true;
    this.#port = (this.#server.address() as net.AddressInfo).port;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(client: tls.TLSSocket): void {
    const upstream = this.#keep(net.connect(this.target, '127.0.0.1'));
    this.#open += 1;
    this.mostConnections = Math.max(this.mostConnections, this.#open);
    client.on('error', () => undefined);
    client.on('close', () => {
      this.#open -= 1;
      upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    client.on('data', (data: Buffer) => upstream.write(data));
    const cutter = new MessageCutter();
    upstream.on('data', (data) => {
      for (const message of cutter.write(data)) this.#answer(client, message);
    });
  }

  #keep<Socket extends net.Socket>(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #answer(client: tls.TLSSocket, message: Message): void {
    const { fault } = this;
    const isSearch = message.operation !== bindDone;
    switch (fault.kind) {
      case 'none':
        return send(client, message.bytes);
      case 'late':
        setTimeout(() => { send(client, message.bytes); }, fault.delayMs);
        return;
      case 'result':
        if (!isSearch && fault.of === 'searches') return send(client, message.bytes);
        if (message.operation === searchDone || message.operation === bindDone) send(client, result(message, fault.code));
        return;
      case 'cut':
        if (message.operation === searchEntry && fault.where === 'in an entry') client.write(message.bytes.subarray(0, message.bytes.length / 2), () => client.destroy());
        else if (message.operation === searchDone) client.destroy();
        else send(client, message.bytes);
        return;
      case 'garbage':
        return send(client, Buffer.from('HTTP/1.1 400 Bad Request\r\nServer: something else\r\n\r\n'));
      case 'other message id':
        return send(client, sequence(0x30, integer(message.id + 1000), message.content));
      case 'truncated entry':
        return send(client, message.operation === searchEntry ? truncated(message, fault.missingBytes) : message.bytes);
      case 'spoilt':
        return send(client, fault.spoil(message.bytes));
      case 'endless entries':
        if (message.operation === searchEntry) repeat(client, message.bytes);
        else if (!isSearch) send(client, message.bytes);
        return;
    }
  }
}

interface Message {
  readonly bytes: Buffer;
  readonly id: number;
  /** The protocolOp's tag. */
  readonly operation: number;
  /** Everything after the message id. */
  readonly content: Buffer;
}

/** Cuts what a directory says into messages. */
class MessageCutter {
  #rest: Buffer = Buffer.alloc(0);

  write(data: Buffer): Message[] {
    this.#rest = Buffer.concat([this.#rest, data]);
    const messages: Message[] = [];
    for (;;) {
      const header = this.#rest.length < 2 ? undefined : lengthAt(this.#rest, 1);
      if (header === undefined || this.#rest.length < header.end + header.length) return messages;
      const bytes = this.#rest.subarray(0, header.end + header.length);
      this.#rest = this.#rest.subarray(bytes.length);
      const idLength = bytes[header.end + 1] ?? 0;
      const content = bytes.subarray(header.end + 2 + idLength);
      messages.push({ bytes, content, id: bytes.readUIntBE(header.end + 2, idLength), operation: content[0] ?? 0 });
    }
  }
}

/** A BER length: what it says, and where it ends. */
function lengthAt(bytes: Buffer, at: number): { readonly length: number; readonly end: number } | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { length: first, end: at + 1 };
  const count = first & 0x7f;
  return bytes.length < at + 1 + count ? undefined : { length: bytes.readUIntBE(at + 1, count), end: at + 1 + count };
}

function sequence(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(5);
  length.writeUInt32BE(content.length, 1);
  length[0] = 0x84;
  return Buffer.concat([Buffer.from([tag]), length, content]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(0x0204, 0);
  bytes.writeInt32BE(value, 2);
  return bytes;
}

function result({ id, operation }: Message, code: number): Buffer {
  const elsewhere = Buffer.from('ldap://127.0.0.1:1/dc=example,dc=com');
  const parts: Buffer[] = [Buffer.from([0x0a, 0x01, code]), Buffer.from([0x04, 0x00]), Buffer.from([0x04, 0x05]), Buffer.from('fault')];
  if (code === referral) parts.push(sequence(0xa3, sequence(0x04, elsewhere)));
  return sequence(0x30, integer(id), sequence(operation, ...parts));
}

/** The outermost length is right, those inside announce more than there is. */
function truncated({ id, content }: Message, missingBytes: number): Buffer {
  return sequence(0x30, integer(id), content.subarray(0, Math.max(0, content.length - missingBytes)));
}

/** Once on a connection, however many entries are asked for on it. */
function repeat(client: tls.TLSSocket, bytes: Buffer): void {
  if (client.listenerCount('drain') > 0) return;
  const many = Buffer.alloc(bytes.length * 50, bytes);
  const more = (): void => {
    while (!client.destroyed && client.write(many));
  };
  client.on('drain', more);
  more();
}

function send(client: tls.TLSSocket, bytes: Buffer): void {
  if (!client.destroyed) client.write(bytes);
}
