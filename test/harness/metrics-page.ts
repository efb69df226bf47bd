/** What a node of a running cluster says at /metrics. */
import * as https from 'node:https';
import type { Cluster, NodeName } from './cluster.ts';

export async function metricsPage(cluster: Cluster, node: NodeName): Promise<string> {
  return new Promise((resolve, reject) => {
    https.get({ host: '127.0.0.1', port: cluster.port(node, 'admin'), path: '/metrics', rejectUnauthorized: false, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => resolve(text));
    }).on('error', reject);
  });
}
