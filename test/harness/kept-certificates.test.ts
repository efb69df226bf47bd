import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { keptCertificates } from './kept-certificates.ts';
import type { Wanted } from './kept-certificates.ts';

const wanted: Wanted = {
  authority: { commonName: 'authority of kept certificates' },
  certificates: { one: { subject: { CN: 'one' }, dnsNames: ['one.example.net'], ipAddresses: [], usages: ['server'] } },
};

/** As another process has it: a module of its own. */
async function elsewhere(): Promise<typeof keptCertificates> {
  const other = new URL('kept-certificates.ts?elsewhere', import.meta.url).href;
  return ((await import(other)) as { readonly keptCertificates: typeof keptCertificates }).keptCertificates;
}

test('who wants certificates a second time gets those of a stranger; another process gets the same in the same order', async () => {
  const first = await keptCertificates(wanted);
  const second = await keptCertificates(wanted);
  const [authority, stranger] = [first, second].map((kept) => new X509Certificate(kept.authority.certificate));
  const issued = new X509Certificate(first.certificates['one']?.certificate ?? '');
  assert.ok(authority !== undefined && issued.verify(authority.publicKey));
  assert.ok(stranger !== undefined && !issued.verify(stranger.publicKey));
  const other = await elsewhere();
  assert.deepEqual([await other(wanted), await other(wanted)], [first, second]);
});

test('what is about to expire is made anew', async () => {
  const { one } = wanted.certificates;
  assert.ok(one !== undefined);
  const short: Wanted = { ...wanted, certificates: { one: { ...one, validDays: 1 } } };
  const first = await keptCertificates(short);
  const other = await elsewhere();
  assert.notDeepEqual(await other(short), first);
});
