/** What of a browser's headers goes on to a back-end. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { cleanHeaders, vouchingHeaders } from '../../../frontend/webmail-proxy/request-headers.ts';

test('headers that vouch, tell of the road or belong to one leg are taken away, the others stay', () => {
  const headers: Record<string, string> = {
    'x-waybill-user': 'eve', 'x-waybill-anything': '1', 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1', via: 'x', cookie: 'a=b', authorization: 'Basic x', connection: 'keep-alive, X-Private',
    'x-private': '1', te: 'trailers', upgrade: 'h2c', expect: '100-continue', accept: '*/*', 'content-type': 'application/json', 'content-length': '2', 'waybill-request': 'user', host: 'mail.example.com',
  };
  cleanHeaders(headers);
  assert.deepEqual(Object.keys(headers).sort(), ['accept', 'content-length', 'content-type', 'host', 'waybill-request']);
});

test('the epoch is vouched for only when it is known', () => {
  const user = { address: 'a@example.com', client: '192.0.2.1', session: 's' };
  assert.equal(vouchingHeaders({ ...user, epoch: undefined })['x-waybill-epoch'], undefined);
  assert.equal(vouchingHeaders({ ...user, epoch: 0 })['x-waybill-epoch'], '0');
});
