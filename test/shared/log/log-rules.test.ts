/** Which files a log line goes to: a table of cases, ties included; and the frames of syslog. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { filesFor } from '../../../shared/log/log-rules.ts';
import type { LogRule } from '../../../shared/log/log-rules.ts';
import { counted, datagram, syslogMessage } from '../../../shared/log/syslog.ts';

function rule(priority: number, file: string, given: Partial<LogRule> = {}): LogRule {
  return { priority, file, services: [], hosts: [], level: 'protocol', fallThrough: false, ...given };
}

const imapInfo = { level: 30, service: 'imap', host: 'be1' };

const cases: readonly { readonly title: string; readonly rules: readonly LogRule[]; readonly files: readonly string[] }[] = [
  { title: 'no rule', rules: [], files: [] },
  { title: 'the lowest number is asked first', rules: [rule(20, 'b'), rule(10, 'a')], files: ['a'] },
  { title: 'of equal numbers the one that stands first', rules: [rule(10, 'b'), rule(10, 'a')], files: ['b'] },
  { title: 'a rule for other services is passed over', rules: [rule(1, 'smtp', { services: ['smtpReceiving', 'processing'] }), rule(2, 'rest')], files: ['rest'] },
  { title: 'a rule for other nodes is passed over', rules: [rule(1, 'be2', { hosts: ['be2'] }), rule(2, 'be1', { hosts: ['be1'] })], files: ['be1'] },
  { title: 'lines less grave than its level are not meant', rules: [rule(1, 'grave', { level: 'warning' }), rule(2, 'all', { level: 'informational' })], files: ['all'] },
  { title: 'a silent rule takes nothing', rules: [rule(1, 'x', { level: 'silent' })], files: [] },
  { title: 'with fall-through the next that fits takes it too', rules: [rule(1, 'all', { fallThrough: true }), rule(2, 'smtp', { services: ['smtpProxy'] }), rule(3, 'imap', { services: ['imap'] }), rule(4, 'never')], files: ['all', 'imap'] },
  { title: 'a file takes a line once', rules: [rule(1, 'all', { fallThrough: true }), rule(2, 'all')], files: ['all'] },
];

for (const { title, rules, files } of cases) {
  test(title, () => assert.deepEqual(filesFor(rules, imapInfo), files));
}

test('a syslog message has the fields of RFC 5424, a frame counts octets, a datagram is cut between characters', () => {
  const facts = { level: 40, service: 'smtpProxy', node: 'fe1', pid: 7, at: new Date('2026-01-02T03:04:05.678Z') };
  assert.equal(syslogMessage('{"msg":"ä"}', facts), '<20>1 2026-01-02T03:04:05.678Z fe1 waybill 7 smtpProxy - {"msg":"ä"}');
  assert.equal(counted('ä\n{}').toString(), '5 ä\n{}');
  const cut = datagram(`x${'ä'.repeat(5000)}`);
  assert.ok(cut.length <= 8192 && cut.length > 8188 && !cut.toString().includes('\ufffd'));
});
