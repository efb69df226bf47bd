/** A cluster whose nodes take their configuration from the directory: `cluster.configFile` is the bootstrap file, the configuration lies beside it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { configStatus } from '../../cluster-config/command-line/config-status.ts';
import { publishFile } from '../../cluster-config/command-line/publish-command.ts';
import { startCluster } from './cluster.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import { runCommand } from './command.ts';
import type { CommandOutcome } from './command.ts';

export const configurationEntry = 'cn=waybill-configuration,dc=example,dc=com';
const schemaFile = path.resolve(import.meta.dirname, '..', '..', 'docs', 'directory', 'openldap', 'waybill.schema');

export interface StandingJson {
  readonly node: string;
  readonly kind: string;
  readonly why?: string;
  readonly state?: {
    readonly running: { readonly number?: number; readonly since: string };
    readonly begun?: string;
    readonly refused?: { readonly number?: number; readonly why: string; readonly at: string };
    readonly restartFor: readonly string[];
    readonly directory?: string;
    readonly startedAt: string;
  };
}

export interface PublishedCluster {
  readonly cluster: Cluster;
  /** The configuration of the demo, as it would be a file. */
  readonly yaml: string;
  /** Writes the text to a file and publishes it, by what stands behind `config publish`. */
  publish(text: string, facts?: { readonly message?: string; readonly by?: string }): Promise<CommandOutcome>;
  config(...words: readonly string[]): Promise<CommandOutcome>;
  /** What `config status` says of each node. */
  status(): Promise<Readonly<Record<string, StandingJson>>>;
  /** Waits until that is so. */
  until(what: string, isSo: (nodes: Readonly<Record<string, StandingJson>>) => boolean): Promise<void>;
}

/** The configuration of a smaller cluster. */
export function withoutNode(yaml: string, node: string): string {
  return yaml.replace(new RegExp(`^  ${node}:\\n(?:    .*\\n|\\n)*`, 'm'), '');
}

/** No node runs yet, and nothing is published. */
export async function startPublishedCluster(options: Pick<ClusterOptions, 'wrap'> = {}): Promise<PublishedCluster> {
  const cluster = await startCluster({ ...options, directory: 'slapd', nodes: [], slapd: { global: [`include ${schemaFile}`] } });
  const yaml = fs.readFileSync(cluster.configFile, 'utf8');
  const given = /uris: (\[[^\]]*\])\n +ca: (\S+)\n +bindDn: (\S+)\n +bindPassword: (\{[^}]*\})/.exec(yaml);
  assert.ok(given !== null);
  const [, uris = '', ca = '', bindDn = '', bindPassword = ''] = given;
  fs.writeFileSync(path.join(cluster.folder, 'secrets', 'ldap-admin'), `${cluster.ldap.adminPassword}\n`);
  fs.writeFileSync(cluster.configFile, `source: directory
directory:
  uris: ${uris}
  ca: ${ca}
  bindDn: ${bindDn}
  bindPassword: ${bindPassword}
  entry: ${configurationEntry}
  pollSeconds: 1
  timeoutSeconds: 2
  write: { uri: ${uris.slice(1, -1)}, bindDn: "${cluster.ldap.adminDn}", bindPassword: { file: secrets/ldap-admin } }
node: be1
keep: kept
`);
  const config = async (...words: readonly string[]): Promise<CommandOutcome> => runCommand(cluster, ['config', ...words]);
  const status = async (): Promise<Readonly<Record<string, StandingJson>>> => {
    const { text } = await configStatus({ config: cluster.configFile, json: true });
    const { nodes } = JSON.parse(text) as { readonly nodes: readonly StandingJson[] };
    return Object.fromEntries(nodes.map((one) => [one.node, one]));
  };
  return {
    cluster, yaml, config, status,
    publish: async (text, facts = {}) => {
      const file = path.join(cluster.folder, 'next.yaml');
      fs.writeFileSync(file, text);
      let output = '';
      try {
        const code = await publishFile(file, { config: cluster.configFile, waitSeconds: '60', ...facts }, (line) => { output += `${line}\n`; });
        return { code, output, complaint: '' };
      } catch (error) {
        return { code: 1, output, complaint: error instanceof Error ? error.message : String(error) };
      }
    },
    until: async (what, isSo) => {
      const deadline = Date.now() + 60_000;
      for (;;) {
        const nodes = await status();
        if (isSo(nodes)) return;
        assert.ok(Date.now() < deadline, `${what}: ${JSON.stringify(nodes, null, 1)}`);
        await sleep(200);
      }
    },
  };
}
