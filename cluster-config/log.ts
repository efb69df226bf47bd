/** Parameters of the Log service (the manual's section 3.2.6). */
import { z } from 'zod';
import { logLevels } from '../shared/log/levels.ts';
import { fileName, hostAndPort, wholeNumber } from './values.ts';

const level = z.enum(logLevels);
const type = z.enum(['internal', 'remote', 'system']);
const serviceName = z.enum(['smtpProxy', 'imapProxy', 'pop3Proxy', 'webmailProxy', 'smtpReceiving', 'processing', 'smtpSending', 'imap', 'pop3', 'webmail', 'admin', 'node']);

const rotateMegabytes = wholeNumber({ min: 0, max: 1_048_576 });
const rotateHours = wholeNumber({ min: 0, max: 8784 });
const keepFiles = wholeNumber({ min: 0, max: 100_000 });
const keepDays = wholeNumber({ min: 0, max: 36_525 });

const rule = z.strictObject({
  priority: wholeNumber({ min: 0, max: 1_000_000 }).describe('The rule with the lowest number is asked first.'),
  enable: z.boolean().default(true).describe('Whether the rule is asked.'),
  services: z.array(serviceName).default([]).describe('Services whose lines are meant (`node`: lines of no service); all when empty.'),
  hosts: z.array(z.string().min(1).max(63)).max(1000).default([]).describe('Nodes whose lines are meant, this one and those that send theirs; all when empty.'),
  level: level.default('protocol').describe('The least grave lines that are meant.'),
  file: fileName('The file that takes them.'),
  fallThrough: z.boolean().default(false).describe('Whether further rules are asked for lines that this one took.'),
  rotateMegabytes: rotateMegabytes.optional().describe('Instead of log.rotateMegabytes.'),
  rotateHours: rotateHours.optional().describe('Instead of log.rotateHours.'),
  keepFiles: keepFiles.optional().describe('Instead of log.keepFiles.'),
  keepDays: keepDays.optional().describe('Instead of log.keepDays.'),
  compress: z.boolean().optional().describe('Instead of log.compress.'),
});

const syslog = z
  .strictObject({
    address: hostAndPort.default('127.0.0.1:514').describe('The syslog server.'),
    protocol: z.enum(['udp', 'tcp', 'tls']).default('udp').describe('RFC 5426, RFC 6587 (octet counting), RFC 5425.'),
    ca: fileName().optional().describe('PEM file: authorities of the server\'s certificate; those of the system when absent.'),
    name: z.string().min(1).max(253).optional().describe('The name in the server\'s certificate; that in `address` when absent.'),
  })
  .prefault({})
  .describe('The syslog server for logs of type `system`. Lines are RFC 5424, facility mail, the JSON line as message.');

export const logParameters = z
  .strictObject({
    level: level.default('informational').describe('The least grave lines that are written.'),
    type: type.default('internal').describe('Where lines go: to files of this node (internal), to another node\'s Log service (remote), to syslog (system).'),
    file: fileName().optional().describe('The file for lines that no rule takes; standard output when absent.'),
    rules: z.array(rule).max(1000).default([]).describe('Files for some lines. Rules are asked by priority; the first that fits takes a line.'),
    services: z
      .partialRecord(serviceName, z.strictObject({ level: level.optional().describe('Instead of log.level.'), type: type.optional().describe('Instead of log.type.') }))
      .default({})
      .describe('Services with a level or type of their own.'),
    remoteNode: z.string().min(1).optional().describe('The node whose Log service takes lines of type `remote`; best a back-end with a disk.'),
    syslog,
    rotateMegabytes: rotateMegabytes.default(100).describe('Size at which a log file is put away and a new one begun; 0: never by size.'),
    rotateHours: rotateHours.default(24).describe('Age at which a log file is put away and a new one begun; 0: never by age.'),
    keepFiles: keepFiles.default(0).describe('How many files put away are kept of each; 0: any number.'),
    keepDays: keepDays.default(30).describe('How long files put away are kept; 0: for ever.'),
    compress: z.boolean().default(true).describe('Whether files put away are compressed (gzip).'),
  })
  .prefault({})
  .describe('The log of the node: one JSON object a line.');

export type LogParameters = z.output<typeof logParameters>;
