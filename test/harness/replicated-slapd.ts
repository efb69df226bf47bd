/** Two OpenLDAP servers: a provider that takes changes and a replica that follows it by syncrepl (RFC 4533), over a link that can be cut. */
import { runTool } from './ldap-utils.ts';
import { slapdBase, startSlapd } from './slapd.ts';
import type { Slapd } from './slapd.ts';
import { TcpProxy } from './tcp-proxy.ts';

export interface ReplicatedSlapd {
  readonly provider: Slapd;
  readonly replica: Slapd;
  /** From now on the replica hears nothing of changes, but goes on answering. */
  lag(): void;
  /** It hears of them again, and catches up. */
  catchUp(): void;
  /** Runs `ldapmodify` at the provider. */
  change(ldif: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both with these entries; the replica has them all. `global`: further lines of slapd.conf for both. */
export async function startReplicatedSlapd({ ldif, global = [] }: { readonly ldif: string; readonly global?: readonly string[] }): Promise<ReplicatedSlapd> {
  const provider = await startSlapd({ ldif, more: { global: ['moduleload syncprov', 'serverID 1', ...global], database: ['overlay syncprov', 'index entryCSN,entryUUID eq'] } });
  const link = await TcpProxy.start(provider.port);
  const { adminDn, adminPassword, baseDn } = slapdBase;
  const syncrepl = `syncrepl rid=001 provider=ldap://127.0.0.1:${String(link.port)} type=refreshAndPersist retry="1 +" searchbase="${baseDn}" bindmethod=simple binddn="${adminDn}" credentials=${adminPassword}`;
  const replica = await startSlapd({ ldif: '', more: { global, database: [syncrepl, `updateref ${provider.uri}`, 'index entryCSN,entryUUID eq'] } });
  const stop = async (): Promise<void> => {
    await link.refuse();
    await Promise.all([provider.stop(), replica.stop()]);
  };
  try {
    await untilAlike(provider, replica);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    provider, replica, stop,
    lag: () => {
      link.behaviour = { kind: 'hang' };
      link.cutAll();
    },
    catchUp: () => {
      link.behaviour = { kind: 'pass' };
      link.cutAll();
    },
    change: async (ldif) => {
      const { code, complaint } = await runTool('ldapmodify', { uri: provider.uri, as: [adminDn, adminPassword], input: ldif });
      if (code !== 0) throw new Error(`ldapmodify failed: ${complaint}`);
    },
  };
}

async function untilAlike(one: Slapd, other: Slapd): Promise<void> {
  const entries = async ({ uri, adminDn, adminPassword, baseDn }: Slapd): Promise<string> => {
    const { output } = await runTool('ldapsearch', { uri, as: [adminDn, adminPassword], parameters: ['-LLL', '-b', baseDn, 'entryCSN'] });
    return output.split('\n\n').toSorted().join('\n');
  };
  for (const deadline = performance.now() + 20_000; performance.now() < deadline;) {
    if (await entries(one) === await entries(other)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the replica does not follow');
}
