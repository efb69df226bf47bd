/** A day of a cluster with everything that can be told of one, for tests of its report. */
import type { ClusterDay } from '../../../cluster-config/daily-report/cluster-day.ts';
import type { NodeDay } from '../../../cluster-config/daily-report/node-day.ts';
import { spanOfDay } from '../../../shared/reporting/local-day.ts';

const day = '2026-03-29';
const timeZone = 'Europe/Vienna';
const hostile = '<img src=x onerror=alert(1)>&"\'\r\nX-Injected: yes';

const calm: NodeDay = {
  node: 'be1', role: 'backend', state: 'ready', ailing: [], configuration: { number: 12, version: '0123456789abcdef', since: '2026-03-29T08:00:00.000Z' },
  counts: {
    'processing_direct_delivery/stored': 4100, 'processing_delivery/local/delivered': 18, 'processing_delivery/outside/delivered': 1203, 'processing_delivery/outside/refused': 9, 'processing_report/failed': 7, 'processing_report/delayed': 2,
    'smtp_inbound_message/smtpReceiving': 9999, 'imap_inbound_connection_authenticated_success/imap': 9999, // what front-ends handed on
  },
  queue: { messages: 3, oldestSeconds: 700 },
  storages: [{ directory: '/srv/waybill/storage1', state: 'ok', totalBytes: 2e12, freeBytes: 1.4e12, mailBytes: 3.61e11 }, { directory: '/srv/waybill/storage2', state: 'ok', totalBytes: 2e12, freeBytes: 1.2e12, mailBytes: 4.02e11 }],
  grownBytes: 2.4e9, certificates: [],
  domains: [{ name: 'example.com', logins: 5210, messages_received: 3900, messages_sent: 1100 }, { name: 'example.org', logins: 12, messages_received: 218, messages_sent: 103 }],
  accounts: [{ name: 'alice@example.com', logins: 44, messages_received: 310, messages_sent: 95 }],
  audit: { kept: 'file', acts: [{ what: 'resetPassword', who: 'helpdesk', refused: false, times: 4 }, { what: 'deleteAccount', who: 'helpdesk', refused: true, times: 1 }], published: [{ version: 12, who: 'ann', at: '2026-03-29T08:00:00.000Z', message: 'a second listener for IMAP' }] },
};

/** Nothing to complain of. */
export const calmDay: ClusterDay = {
  cluster: 'example mail', day, timeZone, span: spanOfDay(day, timeZone), askedMs: Date.parse('2026-03-30T04:00:00Z'),
  nodes: [
    { kind: 'told', node: 'be1', role: 'backend', day: calm },
    { kind: 'told', node: 'fe1', role: 'frontend', day: { ...calm, node: 'fe1', role: 'frontend', counts: undefined, queue: undefined, storages: [], grownBytes: undefined, domains: undefined, accounts: undefined, audit: { kept: 'none', acts: [], published: [] } } },
  ],
  frontendCounts: {
    fe1: {
      'smtp_inbound_message/smtpProxy': 5300, 'smtp_inbound_message_bytes/smtpProxy': 3.1e9, 'smtp_inbound_message_to_commands_rejected/smtpProxy': 812, 'smtp_inbound_message_rejected/smtpProxy': 11, 'connections_refused/smtpProxy': 40, 'connections_refused/imapProxy': 2,
      'imap_inbound_connection_authenticated_success/imapProxy': 5100, 'login_failed/imapProxy': 61, 'webmail_inbound_connection_authenticated_success/webmailProxy': 140, 'login_failed/webmailProxy': 3, 'smtp_inbound_connection_authenticated_success/smtpProxy': 900,
    },
  },
  newFrontends: [],
};

/** Everything that can be wrong is, and texts of others are hostile. */
export const badDay: ClusterDay = {
  ...calmDay,
  nodes: [
    {
      kind: 'told', node: 'be1', role: 'backend',
      day: {
        ...calm, state: 'not-ready', reason: 'the index can\'t be read', ailing: [{ service: 'pop3', state: 'failed', reason: 'port 110 is in use' }],
        configuration: { ...calm.configuration, refused: 'cluster.drainSeconds: expected number' }, queue: { messages: 180, oldestSeconds: 5 * 3600 },
        storages: [{ directory: '/srv/waybill/storage1', state: 'low', totalBytes: 2e12, freeBytes: 9e8, mailBytes: 3.61e11 }, { directory: '/srv/waybill/storage2', state: 'failed', reason: 'ENOENT' }], grownBytes: -4e6,
        certificates: [{ parameter: 'tls.certificate', file: '/etc/waybill/mail.pem', endsAtMs: Date.parse('2026-04-02T12:00:00Z') }, { parameter: 'tls.nodeCertificate', file: '/etc/waybill/node.pem', endsAtMs: Date.parse('2026-03-01T12:00:00Z') }],
        accounts: [{ name: hostile, logins: 1, messages_received: 2, messages_sent: 0 }],
        audit: { ...calm.audit, kept: 'end', published: [{ version: 13, who: hostile, at: '2026-03-29T09:00:00.000Z', message: hostile }] },
      },
    },
    { kind: 'silent', node: 'be2', role: 'backend', reason: 'connect ECONNREFUSED 127.0.0.1:31900' },
    { kind: 'silent', node: 'fe1', role: 'frontend', reason: hostile },
  ],
};
