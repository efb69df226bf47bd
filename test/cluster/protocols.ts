/** All protocols through both front-ends: the same suites for each kind of directory, on one running cluster. */
import { after, before, describe } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, DirectoryKind } from '../harness/cluster.ts';
import { startWorld } from '../harness/world.ts';
import type { World } from '../harness/world.ts';
import { directorySuite } from './directory-suite.ts';
import { imapSuite } from './imap-suite.ts';
import { outageSuite } from './outage-suite.ts';
import { pop3Suite } from './pop3-suite.ts';
import { realMailSuite } from './real-mail-suite.ts';
import { smtpSuite } from './smtp-suite.ts';
import { submissionSuite } from './submission-suite.ts';
import { webmailSuite } from './webmail-suite.ts';

export function protocolsWith(directory: DirectoryKind): void {
  describe(`all protocols with the ${directory} directory`, () => {
    let running: Cluster | undefined;
    let outside: World | undefined;
    before(async () => {
      outside = await startWorld();
      const routes = `backends: { services: { smtpSending: { routes: [{ domain: "*", host: 127.0.0.1, port: ${String(outside.port)} }] } } }`;
      running = await startCluster({ directory, changeConfig: (yaml) => yaml.replace('\nnodes:\n', `\n${routes}\n\nnodes:\n`) });
    });
    after(async () => {
      await running?.stop();
      await outside?.close();
    });
    const cluster = (): Cluster => started(running);
    smtpSuite(cluster);
    submissionSuite(cluster, () => started(outside));
    imapSuite(cluster);
    pop3Suite(cluster);
    realMailSuite(cluster);
    directorySuite(cluster);
    webmailSuite(cluster);
    outageSuite(cluster);
  });
}

function started<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('not started');
  return thing;
}
