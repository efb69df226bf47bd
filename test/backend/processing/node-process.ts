/** A back-end as far as mail is concerned, in a process of its own, for tests that kill it: `node node-process.ts '<settings as JSON>'`. Tells its parent the ports. */
import { startTestNode } from './test-node.ts';
import type { NodeSettings } from './test-node.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as NodeSettings;
const node = await startTestNode(settings);
process.send?.({ ports: node.ports });
