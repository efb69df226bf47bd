/** One certificate from an ACME server, from the account to the chain, proven by http-01 (RFC 8555 sections 7.1 to 7.5 and 8.3). */
import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Failure, isFailure } from '../base/failure.ts';
import type { CertifiedKey } from '../tls/authority.ts';
import { newKeys } from '../tls/authority.ts';
import { signingRequestFor } from '../tls/signing-request.ts';
import type { AcmeAnswer } from './acme-transport.ts';
import { AcmeTransport } from './acme-transport.ts';
import { isChallengeToken, keyAuthorization } from './jws.ts';

/** An order that is under way at the server. */
export interface OpenOrder {
  /** Its URL. */
  readonly place: string;
  /** PEM: the private key that the certificate is for. */
  readonly key: string;
}

export interface AcmeOptions {
  readonly directoryUrl: string;
  /** PEM: whom the server's certificate is checked by; the usual authorities when absent. */
  readonly ca: string | undefined;
  /** ECDSA P-256. */
  readonly accountKey: KeyObject;
  /** Mail addresses. */
  readonly contacts: readonly string[];
  readonly names: readonly string[];
  /** From when it resolves on, `text` is answered at /.well-known/acme-challenge/`token`; what it answers ends that. */
  readonly publish: (token: string, text: string) => Promise<() => Promise<void>>;
  /** One that was begun before, and whose end nobody has seen: it is gone on with, if the server has it still. */
  readonly begun: OpenOrder | undefined;
  /** Hears of a new one before anything is done with it. */
  readonly onBegun: (order: OpenOrder) => Promise<void>;
}

const url = z.url({ protocol: /^https$/ });
const directorySchema = z.object({ newNonce: url, newAccount: url, newOrder: url });
const orderSchema = z.object({ status: z.string(), authorizations: z.array(url), finalize: url, certificate: url.optional(), error: z.object({ detail: z.string().optional() }).optional() });
const challengeSchema = z.object({ type: z.string(), url, token: z.string().optional(), error: z.object({ detail: z.string().optional() }).optional() });
const authorizationSchema = z.object({ status: z.string(), identifier: z.object({ value: z.string() }), challenges: z.array(challengeSchema) });

const patienceMs = 120_000;
const askAgainMs = { first: 500, most: 10_000 };

/** The certificate with its chain, and its new key. Our terms: whoever calls has agreed to the server's. @throws Failure */
export async function orderCertificate(options: AcmeOptions): Promise<CertifiedKey> {
  const server = new AcmeTransport(options.accountKey, options.ca);
  const directory = read(directorySchema, await server.get(options.directoryUrl));
  server.useNonces(directory.newNonce);
  const account = await server.post(directory.newAccount, { termsOfServiceAgreed: true, contact: options.contacts.map((address) => `mailto:${address}`) });
  server.useAccount(placeOf(account));
  const { place, key, order } = await goOn(server, options.begun) ?? await begin(server, directory.newOrder, options);
  if (order.status === 'pending' || order.status === 'ready') {
    for (const authorization of order.authorizations) await prove(server, authorization, options);
    const request = signingRequestFor(key, { CN: options.names[0] ?? '' }, options.names);
    await server.post(order.finalize, { csr: Buffer.from(request.replace(/-----[^-]+-----|\n/g, ''), 'base64').toString('base64url') });
  }
  const done = await until(async () => server.post(place), (text) => {
    const { status, certificate, error } = read(orderSchema, text);
    if (status === 'invalid') throw new Failure('forbidden', `the ACME server refuses the order: ${error?.detail ?? 'it does not say why'}`);
    return status === 'valid' ? certificate : undefined;
  });
  return { certificate: (await server.post(done)).text, key };
}

interface OrderUnderWay extends OpenOrder {
  readonly order: z.output<typeof orderSchema>;
}

/** Undefined when there is none, or the server has forgotten it, or has given it up. */
async function goOn(server: AcmeTransport, begun: OpenOrder | undefined): Promise<OrderUnderWay | undefined> {
  if (begun === undefined) return undefined;
  try {
    const order = read(orderSchema, (await server.post(begun.place)).text);
    return order.status === 'invalid' ? undefined : { ...begun, order };
  } catch (error) {
    if (isFailure(error, 'forbidden')) return undefined;
    throw error;
  }
}

async function begin(server: AcmeTransport, newOrder: string, { names, onBegun }: AcmeOptions): Promise<OrderUnderWay> {
  const { key } = await newKeys();
  const created = await server.post(newOrder, { identifiers: names.map((value) => ({ type: 'dns', value })) });
  const begun = { place: placeOf(created), key };
  await onBegun(begun);
  return { ...begun, order: read(orderSchema, created.text) };
}

async function prove(server: AcmeTransport, authorization: string, { accountKey, publish }: AcmeOptions): Promise<void> {
  const { status, identifier, challenges } = read(authorizationSchema, (await server.post(authorization)).text);
  if (status === 'valid') return;
  const challenge = challenges.find(({ type }) => type === 'http-01');
  if (challenge?.token === undefined || !isChallengeToken(challenge.token)) throw new Failure('forbidden', `the ACME server does not offer http-01 for ${identifier.value}`);
  const unpublish = await publish(challenge.token, keyAuthorization(challenge.token, accountKey));
  try {
    await server.post(challenge.url, {});
    await until(async () => server.post(authorization), (text) => {
      const now = read(authorizationSchema, text);
      if (now.status === 'pending') return undefined;
      if (now.status === 'valid') return now.status;
      throw new Failure('forbidden', `the ACME server could not check ${identifier.value}: ${now.challenges.find(({ type }) => type === 'http-01')?.error?.detail ?? now.status}`);
    });
  } finally {
    await unpublish();
  }
}

/** Asks again, more and more slowly or as the server says, until `take` finds what it wants. @throws Failure('timed-out') */
async function until(ask: () => Promise<AcmeAnswer>, take: (text: string) => string | undefined): Promise<string> {
  const deadline = Date.now() + patienceMs;
  for (let pauseMs = askAgainMs.first; Date.now() < deadline; pauseMs = Math.min(pauseMs * 2, askAgainMs.most)) {
    const { text, retryAfterMs } = await ask();
    const found = take(text);
    if (found !== undefined) return found;
    await sleep(Math.min(retryAfterMs ?? pauseMs, askAgainMs.most));
  }
  throw new Failure('timed-out', `the ACME server did not finish within ${String(patienceMs / 1000)} s`);
}

function placeOf({ location }: AcmeAnswer): string {
  if (location === undefined) throw new Failure('backend-unavailable', 'the ACME server did not say where its answer is to be found');
  return location;
}

function read<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure('backend-unavailable', 'what answers is no ACME server', { cause });
  }
}
