/** The admin API of a running cluster, as administrators, scripts and browsers find it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { createAuthority } from '../../shared/tls/authority.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { freePort } from '../harness/free-port.ts';
import { adminBadInputSuite } from './admin-bad-input-suite.ts';
import { adminCommandsSuite } from './admin-commands-suite.ts';
import { adminFromElsewhereSuite } from './admin-from-elsewhere-suite.ts';
import { adminLifeSuite } from './admin-life-suite.ts';
import { adminServicesSuite } from './admin-services-suite.ts';
import { adminStoragesSuite } from './admin-storages-suite.ts';
import { adminSignInSuite, totpSecret } from './admin-sign-in-suite.ts';
import { adminWorkSuite } from './admin-work-suite.ts';

let cluster: Cluster;
const administrators = await createAuthority({ commonName: 'authority of administrators' });
const more = `      - { name: totp, password: { file: secrets/administrator }, totp: { file: secrets/totp }, allow: [all] }
      - { name: helpdesk, password: { file: secrets/administrator }, groups: [desk], domains: [example.com] }
      - { name: elsewhere, password: { file: secrets/administrator }, allow: [all], domains: [elsewhere.example] }
      - { name: mailer, password: { file: secrets/administrator }, allow: [all], deny: [manageIMAPProxy] }
      - { name: mover, password: { file: secrets/administrator }, allow: [manageCluster] }
      - { name: reader, password: { file: secrets/administrator }, allow: [manageReporting] }
    groups:
      - { name: desk, allow: [all], deny: [manageQueue] }
`;

before(async () => {
  const nobodyListens = await freePort();
  const parameters = `
  domains: [local.example]
  guessing: { freeAttempts: 3, firstDelayMilliseconds: 250, longestWaitSeconds: 1 }
  services: { smtpSending: { routes: [{ domain: away.example, host: 127.0.0.1, port: ${String(nobodyListens)} }] } }
  loopbackOnly`;
  cluster = await startCluster({
    changeConfig: (yaml) => yaml.replace('workers: 1 ', 'workers: 2 ').replace('serverName: be2.example.com', 'workers: 1\n    serverName: be2.example.com').replace('drainSeconds: 5', 'drainSeconds: 1').replace(/name: admin, .*\n/, (line) => `${line}${more}    certificateAuthority: tls/administrators.pem\n`).replace('type: ldapBind,', 'type: ldapBind, domains: [example.com],').replace(/\n {2}loopbackOnly/, parameters),
    nodes: [],
  });
  writeFileSync(join(cluster.folder, 'secrets', 'totp'), `${totpSecret}\n`);
  writeFileSync(join(cluster.folder, 'tls', 'administrators.pem'), administrators.certificate);
  await Promise.all((['fe1', 'be1', 'be2'] as const).map(async (node) => cluster.startNode(node)));
});
after(async () => cluster.stop());

adminSignInSuite(() => cluster, () => administrators);
adminWorkSuite(() => cluster);
adminStoragesSuite(() => cluster);
adminServicesSuite(() => cluster);
adminCommandsSuite(() => cluster);
adminFromElsewhereSuite(() => cluster);
adminLifeSuite(() => cluster);
adminBadInputSuite(() => cluster); // last: the others look at the whole audit
