/** Bad input and slow clients, at both front-ends of one cluster. */
import { after, before } from 'node:test';
import { frontendNames, startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { badInputSuite } from './bad-input-suite.ts';
import { slowClientsSuite, withShortLimits } from './slow-clients-suite.ts';
import { smugglingSuite } from './smuggling-suite.ts';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster({ changeConfig: withShortLimits });
});
after(async () => cluster.stop());

for (const node of frontendNames) {
  const place = { cluster: (): Cluster => cluster, node };
  badInputSuite(place);
  smugglingSuite(place);
  slowClientsSuite(place);
}
