/** The Log service of a node's process, from the node's configuration. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AdminTarget } from '../shared/admin/admin-client.ts';
import { remoteOutput } from '../shared/admin/log-routes.ts';
import { Failure } from '../shared/base/failure.ts';
import { LogService } from '../shared/log/log-service.ts';
import type { LogOutput, LogType } from '../shared/log/log-service.ts';
import type { KeptFile } from '../shared/log/rotation.ts';
import { syslogOutput } from '../shared/log/syslog-output.ts';
import type { NodeConfig } from './effective.ts';
import { loadNodeTls } from './node-tls.ts';
import { splitHostAndPort } from './values.ts';

/** @throws Failure('bad-input') for authorities of the syslog server that can't be read */
export function openNodeLog(config: NodeConfig): LogService {
  const { log, nodeName } = config;
  const used = new Set<LogType>([log.type, ...Object.values(log.services).flatMap(({ type }) => type ?? [])]);
  return new LogService({
    node: nodeName,
    level: log.level,
    type: log.type,
    services: log.services,
    rules: log.rules.filter(({ enable }) => enable),
    file: log.file,
    outputs: {
      ...(used.has('remote') ? { remote: remoteOutput(remoteTarget(config)) } : {}),
      ...(used.has('system') ? { system: systemOutput(config) } : {}),
    },
  });
}

/** All files that this node's log goes to, with what holds for each. */
export function logFiles({ log }: Pick<NodeConfig, 'log'>): readonly KeptFile[] {
  const named = [...log.rules.filter(({ enable }) => enable), ...(log.file === undefined ? [] : [{ ...log, file: log.file }])];
  const files = named.map((of) => keptFile(log, of));
  return files.filter(({ file }, index) => files.findIndex((other) => other.file === file) === index);
}

type OwnTerms = Partial<Pick<NodeConfig['log']['rules'][number], 'rotateMegabytes' | 'rotateHours' | 'keepFiles' | 'keepDays' | 'compress'>>;

function keptFile(log: NodeConfig['log'], of: OwnTerms & { readonly file: string }): KeptFile {
  return {
    file: of.file,
    rotateBytes: (of.rotateMegabytes ?? log.rotateMegabytes) * 1024 * 1024,
    rotateMs: (of.rotateHours ?? log.rotateHours) * 3_600_000,
    keepFiles: of.keepFiles ?? log.keepFiles,
    keepMs: (of.keepDays ?? log.keepDays) * 86_400_000,
    compress: (of.compress ?? log.compress) ? 'gzip' : 'no',
  };
}

/** Where a back-end writes protocol traces. */
export function protocolTraceFile({ storage }: Pick<NodeConfig, 'storage'>): string {
  return join(dirname(storage.directories[0] ?? '.'), 'protocol-trace.log');
}

/** It is put away like a log file. */
export function keptTraceFiles({ log, role, storage }: Pick<NodeConfig, 'log' | 'role' | 'storage'>): readonly KeptFile[] {
  return role === 'backend' ? [keptFile(log, { file: protocolTraceFile({ storage }) })] : [];
}

function remoteTarget(config: NodeConfig): () => Promise<AdminTarget> {
  let target: AdminTarget | undefined;
  return async () => {
    const { remoteNode = '' } = config.log;
    const entry = Object.hasOwn(config.nodes, remoteNode) ? config.nodes[remoteNode] : undefined;
    if (entry?.endpoints.admin === undefined) throw new Failure('bad-input', `log.remoteNode: ${remoteNode} has no admin listener`);
    target ??= { host: entry.host, port: entry.endpoints.admin, tls: (await loadNodeTls(config)).toNode(remoteNode) };
    return target;
  };
}

function systemOutput({ log: { syslog }, nodeName }: NodeConfig): LogOutput {
  const { host, port } = splitHostAndPort(syslog.address) ?? { host: '127.0.0.1', port: 514 };
  const tls = { servername: syslog.name ?? host, ...(syslog.ca === undefined ? {} : { ca: read(syslog.ca) }) };
  return syslogOutput({ host, port, protocol: syslog.protocol, node: nodeName, tls });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure('bad-input', `log.syslog.ca: ${file} can't be read`, { cause });
  }
}
