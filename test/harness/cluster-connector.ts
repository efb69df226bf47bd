/** Another directory than the demo's for a cluster whose nodes don't run yet. */
import * as fs from 'node:fs';
import type { Cluster } from './cluster.ts';

/** Puts a connector of these lines, one parameter each, in the place of the demo's. */
export function replaceConnector({ configFile }: Cluster, lines: readonly string[]): void {
  const yaml = fs.readFileSync(configFile, 'utf8');
  fs.writeFileSync(configFile, yaml.replace(/ {4}- name: directory\n[^]*?(?= {2}userMaps:)/, `    - name: directory\n${lines.map((line) => `      ${line}\n`).join('')}`));
}
