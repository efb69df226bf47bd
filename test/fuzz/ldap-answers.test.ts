/**
 * What a directory may answer: slapd's real answers, changed by chance on their way. Whatever comes, each question is answered in time, by
 * whole entries or by a failure; nothing is thrown that nobody waits for, and nothing stays behind.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../shared/base/failure.ts';
import { createConnector } from '../../shared/ldap/connector.ts';
import type { Entry } from '../../shared/ldap/connector.ts';
import { FramingError, MessageFramer } from '../../shared/ldap/message-framer.ts';
import { messageIdOf, readResult } from '../../shared/ldap/result-message.ts';
import { operationOf, readEntry } from '../../shared/ldap/search-message.ts';
import { makeCertificates } from '../harness/certificates.ts';
import type { TestCertificate } from '../harness/certificates.ts';
import { LdapFaultProxy } from '../harness/ldap-fault-proxy.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../harness/people.ts';
import { startSlapd } from '../harness/slapd.ts';
import type { Slapd } from '../harness/slapd.ts';
import { descriptorsOf, settledDescriptors } from './process-watch.ts';
import { fuzzRuns, fuzzSeed as seed } from './settings.ts';

const aliceDn = 'uid=alice,ou=people,dc=example,dc=com';
const timeoutMs = 300;
/** The machine may be busy; a hang takes longer. */
const patienceMs = 30_000;
let slapd: Slapd;
let proxy: LdapFaultProxy;
let certificate: TestCertificate;

before(async () => {
  const { ldap } = await makeCertificates({ ldap: 'backend' });
  assert.ok(ldap !== undefined);
  certificate = ldap;
  slapd = await startSlapd({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1', aliases: ['al@example.com'] }]) });
  proxy = await LdapFaultProxy.start(slapd.port, certificate);
  process.stdout.write(`# WAYBILL_FUZZ_SEED=${String(seed)}\n`);
});
after(async () => {
  await proxy.refuse();
  await slapd.stop();
});

/** One change of an answer; places are parts of its length. */
const change = fc.record({ place: fc.double({ min: 0, max: 1, noNaN: true }), how: fc.constantFrom('byte', 'byte', 'byte', 'cut', 'insert', 'again', 'swap'), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) });
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

function changed(answer: Buffer, { place, how, bytes }: Change): Buffer {
  const at = Math.min(answer.length - 1, Math.floor(place * answer.length));
  const [head, tail] = [answer.subarray(0, at), answer.subarray(at)];
  switch (how) {
    case 'byte': return Buffer.concat([head, bytes.subarray(0, 1), answer.subarray(at + 1)]);
    case 'cut': return head;
    case 'insert': return Buffer.concat([head, bytes, tail]);
    case 'again': return Buffer.concat([answer, answer]);
    case 'swap': return Buffer.concat([tail, head]);
  }
}

async function ask(): Promise<void> {
  const connector = createConnector({ name: 'test', uris: [proxy.uri], ca: certificate.authority, searchBase: slapd.baseDn, scope: 'sub', timeoutMs, connections: 2, log: keepingLog().log });
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${String(patienceMs)} ms`)), patienceMs).unref();
  });
  const questions = [
    connector.search({ kind: 'equal', attribute: 'mail', value: 'alice@example.com' }, ['mail', 'mailLocalAddress', 'mailHost'], { sizeLimit: 5 }).then(checkEntries),
    connector.read(aliceDn, ['mail']).then((entry) => { checkEntries(entry === undefined ? [] : [entry]); }),
    connector.bind(aliceDn, peoplesPassword).then((answer) => { assert.equal(typeof answer === 'string' || typeof answer === 'object', true); }),
  ];
  try {
    for (const outcome of await Promise.race([Promise.allSettled(questions), late])) {
      if (outcome.status === 'rejected' && !isFailure(outcome.reason)) throw new Error('no failure that anybody expects', { cause: outcome.reason });
    }
  } finally {
    connector.close();
  }
}

function checkEntries(entries: readonly Entry[]): void {
  assert.ok(entries.length <= 5);
  for (const { dn, attributes } of entries) {
    assert.equal(typeof dn, 'string');
    for (const values of attributes.values()) assert.ok(values.every((value) => Buffer.isBuffer(value)));
  }
}

test('a directory whose answers are changed by chance answers, or is away; it is used as before when it is well again', { timeout: 600_000 }, async () => {
  const descriptors = descriptorsOf(process.pid);
  await fc.assert(fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(3), async (changes, first) => {
    let answers = 0;
    proxy.fault = { kind: 'spoilt', spoil: (answer) => (answers++ < first ? answer : changes.reduce(changed, answer)) };
    await ask();
  }), { seed, numRuns: fuzzRuns(40), endOnFailure: true });
  proxy.fault = { kind: 'none' };
  await ask();
  assert.ok(await settledDescriptors(process.pid, descriptors + 4) <= descriptors + 4, 'connections stay open');
});

/** Elements of BER that fit into each other, with the tags of answers, and no sense. */
const element = fc.letrec<{ any: Buffer; inner: Buffer }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.tuple(fc.constantFrom(0x02, 0x04, 0x0a, 0x80, 0x81), fc.uint8Array({ maxLength: 9 })).map(([tag, content]) => Buffer.from([tag, content.length, ...content])),
    tie('inner'),
  ),
  inner: fc.tuple(fc.constantFrom(0x30, 0x31, 0x61, 0x64, 0x65, 0x78, 0xa0, 0xa1), fc.array(tie('any'), { maxLength: 4 })).map(([tag, parts]) => ber(tag, Buffer.concat(parts))),
})).any;

function ber(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, 0x82, content.length >>> 8, content.length & 0xff]), content]);
}

test('the readers of answers take any bytes: whole messages, none yet, or no LDAP', () => {
  const messages = fc.array(element, { maxLength: 4 }).map((parts) => ber(0x30, Buffer.concat(parts)));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }).map((any) => Buffer.from(any)), messages);
  fc.assert(fc.property(fc.array(bytes, { maxLength: 5 }), (chunks) => {
    const framer = new MessageFramer(() => 10_000);
    try {
      for (const message of chunks.flatMap((chunk) => framer.write(chunk))) {
        for (const read of [messageIdOf, operationOf, readEntry, readResult]) read(message);
      }
    } catch (error) {
      assert.ok(error instanceof FramingError, String(error));
    }
  }), { seed, numRuns: fuzzRuns(2000) });
});
