/** Logs of type `system` at a real syslog server, by each transport; what it understood is compared field by field. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { logTo } from '../../../shared/log/log.ts';
import { LogService } from '../../../shared/log/log-service.ts';
import { syslogOutput } from '../../../shared/log/syslog-output.ts';
import { snapshot } from '../../../shared/metrics/metrics.ts';
import { valueOf } from '../../../shared/metrics/snapshot.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import type { TestCertificate } from '../../harness/certificates.ts';
import { freePort } from '../../harness/free-port.ts';
import { startRsyslog } from '../../harness/rsyslog.ts';
import type { Rsyslog } from '../../harness/rsyslog.ts';

let certificate: TestCertificate;
let rsyslog: Rsyslog;
before(async () => {
  const { be1 } = await makeCertificates({ be1: 'backend' });
  assert.ok(be1 !== undefined);
  certificate = be1;
  rsyslog = await startRsyslog(certificate);
});
after(async () => rsyslog.stop());

function systemLog(protocol: 'udp' | 'tcp' | 'tls', { port = rsyslog.ports[protocol], ca = certificate.authority } = {}) {
  const system = syslogOutput({ host: '127.0.0.1', port, protocol, node: `${protocol}-node`, tls: { ca, servername: 'localhost' } });
  const service = new LogService({ node: 'be1', level: 'protocol', type: 'system', services: {}, rules: [], file: undefined, outputs: { system } });
  return { service, log: logTo(service, 'be1') };
}

for (const protocol of ['udp', 'tcp', 'tls'] as const) {
  test(`by ${protocol} every line arrives whole, with its severity and service`, async () => {
    const { service, log } = systemLog(protocol);
    log.child({ service: 'imap' }).warn({ session: 'abc', text: 'two\nlines, ä 12 <34>1 -' }, 'first');
    log.error('second');
    await service.close();
    const host = `${protocol}-node`;
    for (let turn = 0; turn < 200 && (await rsyslog.messages()).filter((one) => one.host === host).length < 2; turn += 1) await sleep(50);
    const [first, second] = (await rsyslog.messages()).filter((one) => one.host === host);
    assert.deepEqual({ ...first, time: '', text: '' }, { facility: 'mail', severity: 'warning', time: '', host, app: 'waybill', process: String(process.pid), id: 'imap', text: '' });
    const told = JSON.parse(first?.text.replace(/#(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))) ?? '') as Record<string, unknown>;
    assert.deepEqual([told['session'], told['text'], told['msg']], ['abc', 'two\nlines, ä 12 <34>1 -', 'first']);
    assert.ok(Math.abs(Date.parse(first?.time ?? '') - Date.now()) < 60_000);
    assert.deepEqual([second?.severity, second?.id], ['err', 'node']);
  });
}

test('a server that can not prove who it is gets nothing, and one that is not there costs lines, which are counted', async () => {
  const lost = (): number => valueOf(snapshot(), 'waybill_log_lines_lost', { output: 'system' });
  const { stranger } = await makeCertificates({ stranger: 'backend' });
  const before = lost();
  const logs = [systemLog('tls', { ca: stranger?.authority ?? '' }), systemLog('tcp', { port: await freePort() })];
  for (const { log } of logs) log.info('not for you');
  await Promise.all(logs.map(async ({ service }) => service.close()));
  assert.equal(lost() - before, 2);
  assert.ok(!(await rsyslog.messages()).some(({ text }) => text.includes('not for you')));
});
