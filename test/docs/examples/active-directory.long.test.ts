/** docs/examples/active-directory.yaml on a real Samba domain controller. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeCertificates } from '../../harness/certificates.ts';
import { prepareExample } from '../../harness/example-cluster.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { sambaObstacle, sambaUser, sambaUsersPassword as password, startSamba } from '../../harness/samba.ts';
import type { Samba } from '../../harness/samba.ts';
import { tried, worksFromOutside } from './from-outside.ts';

const node = '10.0.0.11';

describe('the example of Active Directory', { skip: sambaObstacle() ?? false }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samba-certificates-'));
  let samba: Samba | undefined;
  let example: Example | undefined;
  const running = (): Example => {
    if (example === undefined) throw new Error('not started');
    return example;
  };

  before(async () => {
    const { dc } = await makeCertificates({ dc: 'backend' });
    const file = (name: string, text = ''): string => {
      fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
      return path.join(folder, name);
    };
    const authority = file('authority.crt', dc?.authority);
    samba = await startSamba({ tls: { certFile: file('dc.crt', dc?.certificate), keyFile: file('dc.key', dc?.key), caFile: authority } });
    await samba.change(sambaUser('alice'));
    example = await prepareExample({
      file: 'active-directory.yaml', secrets: { directory: samba.adminPassword },
      replace: {
        'ldaps://dc1.ad.example.com:636': samba.uris.ldaps, 'ldaps://dc2.ad.example.com:636': samba.uris.ldaps.replace('127.0.0.1', 'localhost'),
        '/etc/waybill/tls/domain-authority.pem': authority, 'cn=waybill,cn=users,dc=ad,dc=example,dc=com': samba.adminName, 'dc=ad,dc=example,dc=com': samba.baseDn,
      },
    });
    for (const words of [['backend', '--node', 'be1'], ['frontend', '--node', 'fe1']]) await example.start(words);
  });
  after(async () => {
    await example?.stop();
    await samba?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test('its configuration is good', async () => {
    const { code, complaint } = await running().command(['config', 'check', running().configFile]);
    assert.equal(code, 0, complaint);
  });

  test('a user of the domain gets mail and reads it by every protocol, by address and by logon name', async () => {
    await worksFromOutside(running(), { node, address: 'alice@example.com', password });
    await tried(running(), 'mx', { node, address: 'alice@example.com', subject: 'by-logon-name' });
    await tried(running(), 'imap', { node, address: 'alice', password, subject: 'by-logon-name' });
  });
});
