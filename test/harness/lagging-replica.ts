/** Two real slapds, one a replica (syncrepl) of the other, over a line that can be cut: then the replica lags behind, and answers what was so before. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runTool } from './ldap-utils.ts';
import { slapdBase, startSlapd } from './slapd.ts';
import type { Slapd } from './slapd.ts';
import { TcpProxy } from './tcp-proxy.ts';

export interface ReplicatedDirectory {
  readonly provider: Slapd;
  readonly replica: Slapd;
  /** The replica hears of nothing more. */
  cut(): Promise<void>;
  /** The line is whole again. */
  join(): Promise<void>;
  /** Waits until the replica has that value. */
  caughtUp(name: string, mailHost: string): Promise<void>;
  /** `ldapmodify` at the provider. */
  setMailHost(name: string, mailHost: string): Promise<void>;
  /** The value that one of them has. */
  mailHost(at: 'provider' | 'replica', name: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

const patienceMs = 40_000;

export async function startReplicatedDirectory(ldif: string): Promise<ReplicatedDirectory> {
  const { baseDn, adminDn, adminPassword } = slapdBase;
  const provider = await startSlapd({ ldif, more: { global: ['moduleload syncprov'], database: ['index entryUUID,entryCSN eq', 'overlay syncprov'] } });
  const line = await TcpProxy.start(provider.port);
  const consumer = [
    'index entryUUID,entryCSN eq',
    `syncrepl rid=001 provider=ldap://127.0.0.1:${String(line.port)} type=refreshOnly interval=00:00:00:01 retry="1 +" searchbase="${baseDn}" bindmethod=simple binddn="${adminDn}" credentials=${adminPassword} schemachecking=off`,
    `updateref ${provider.uri}`,
  ];
  const replica = await startSlapd({ ldif: '', more: { database: consumer } });
  const mailHost = async (at: 'provider' | 'replica', name: string): Promise<string | undefined> => {
    const { uri } = at === 'provider' ? provider : replica;
    const { output } = await runTool('ldapsearch', { uri, as: [adminDn, adminPassword], parameters: ['-LLL', '-b', baseDn, `(uid=${name})`, 'mailHost'] });
    return /^mailHost: (.*)$/m.exec(output)?.[1];
  };
  const caughtUp = async (name: string, host: string): Promise<void> => {
    for (const deadline = Date.now() + patienceMs; (await mailHost('replica', name)) !== host; await sleep(100)) {
      if (Date.now() > deadline) throw new Error(`the replica never heard that ${name} is on ${host}`);
    }
  };
  return {
    provider, replica, mailHost, caughtUp,
    cut: async () => line.refuse(),
    join: async () => line.accept(),
    setMailHost: async (name, host) => {
      const input = `dn: uid=${name},ou=people,${baseDn}\nchangetype: modify\nreplace: mailHost\nmailHost: ${host}\n`;
      const { code, complaint } = await runTool('ldapmodify', { uri: provider.uri, as: [adminDn, adminPassword], input });
      if (code !== 0) throw new Error(complaint);
    },
    stop: async () => {
      await replica.stop();
      await line.refuse();
      await provider.stop();
    },
  };
}
