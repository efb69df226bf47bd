import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDnr, defaultDnrOptions } from '../../../shared/dnr/dnr.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { startDns } from './dns-server.ts';

const quick = { ...defaultDnrOptions, timeoutMs: 200, tries: 1 };

test('tells mail exchangers in order, implicit MX, null MX, missing domains and outages apart', async (t) => {
  const dns = await startDns(t, {
    'two.test': { mx: [[20, 'b.two.test'], [10, 'A.two.test']] }, 'implicit.test': { a: ['192.0.2.1'] }, 'null.test': { mx: [[0, '']] },
    'silent.test': 'silent', 'failing.test': 'failing',
  });
  const dnr = createDnr({ ...quick, nameServers: [dns.server] });
  assert.deepEqual(await dnr.mailExchangers('two.test'), { at: 'hosts', hosts: [{ host: 'a.two.test', preference: 10 }, { host: 'b.two.test', preference: 20 }] });
  assert.deepEqual(await dnr.mailExchangers('implicit.test'), { at: 'hosts', hosts: [{ host: 'implicit.test', preference: 0 }] });
  assert.deepEqual(await dnr.mailExchangers('null.test'), { at: 'none-wanted' });
  assert.deepEqual(await dnr.mailExchangers('missing.test'), { at: 'no-such-domain' });
  for (const domain of ['silent.test', 'failing.test']) {
    await assert.rejects(dnr.mailExchangers(domain), (thrown) => isFailure(thrown, 'backend-unavailable') && thrown.temporary);
  }
});

test('asks once for what it knows, and again for what failed', async (t) => {
  const dns = await startDns(t, { 'host.test': { a: ['192.0.2.1', '192.0.2.2'] }, 'failing.test': 'failing' });
  const dnr = createDnr({ ...quick, nameServers: [dns.server] });
  for (let count = 0; count < 3; count += 1) {
    assert.deepEqual([...await dnr.addresses('host.test')].sort(), ['192.0.2.1', '192.0.2.2']);
    assert.deepEqual(await dnr.addresses('missing.test'), []);
    assert.deepEqual(await dnr.addresses('192.0.2.9'), ['192.0.2.9']);
    await assert.rejects(dnr.addresses('failing.test'));
  }
  assert.equal(dns.questions.filter((question) => question === 'A host.test').length, 1);
  assert.equal(dns.questions.filter((question) => question === 'A missing.test').length, 1);
  assert.ok(dns.questions.filter((question) => question === 'A failing.test').length >= 3);
});
