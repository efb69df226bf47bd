/** `waybill map check`: the whole directory against the nodes. Finds entries nobody can use, and mail that no entry leads to. */
import { isFailure } from '../../shared/base/failure.ts';
import type { ListedEntry } from '../directory-listing.ts';
import { localDomains, nodeOfMailHost } from '../effective.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { overviewOf } from './node-command.ts';
import type { Overview } from './node-command.ts';

/** One thing that an administrator should look at. */
export interface Finding {
  readonly kind: 'no-host' | 'unknown-host' | 'duplicate' | 'foreign-domain' | 'unreachable' | 'held-elsewhere' | 'no-entry' | 'held-twice' | 'move-unfinished' | 'left-unverified';
  readonly address: string | undefined;
  readonly node: string | undefined;
  readonly text: string;
}

/** Answers the text and the exit code: 1 when anything was found. @throws Failure, UsageError */
export async function mapCheck(options: ClusterOptions & { readonly json?: boolean }): Promise<{ readonly text: string; readonly code: number }> {
  return withCluster(options, async (view) => {
    const entries = await view.directory.list();
    const nodes = await overviews(view);
    const findings = [...entries.flatMap((entry) => entryFindings(view, entry)), ...duplicates(entries), ...nodeFindings(view, { entries, nodes })];
    if (options.json === true) return { text: JSON.stringify({ entries: entries.length, findings }), code: findings.length === 0 ? 0 : 1 };
    const summary = `${String(entries.length)} entries, ${String(view.backends.length)} back-ends: ${findings.length === 0 ? 'all is well' : `${String(findings.length)} to look at`}`;
    return { text: [...findings.map(({ kind, text }) => `${kind.padEnd(16)} ${text}`), summary].join('\n'), code: findings.length === 0 ? 0 : 1 };
  });
}

type Nodes = ReadonlyMap<string, Overview | undefined>;

/** Undefined: no answer. */
async function overviews(view: ClusterView): Promise<Nodes> {
  return new Map(await Promise.all(view.backends.map(async (node): Promise<[string, Overview | undefined]> => {
    try {
      return [node, await overviewOf(view, node)];
    } catch (error) {
      if (isFailure(error, 'backend-unavailable')) return [node, undefined];
      throw error;
    }
  })));
}

function entryFindings({ config }: ClusterView, entry: ListedEntry): Finding[] {
  const { dn, addresses, mailHost, needsHost } = entry;
  const [address] = addresses;
  const domains = new Set(localDomains(config).map((domain) => domain.toLowerCase()));
  const foreign = addresses.filter((each) => !domains.has(each.slice(each.lastIndexOf('@') + 1)));
  const findings: Finding[] = foreign.map((each) => ({ kind: 'foreign-domain', address: each, node: undefined, text: `${each} (${dn}): its domain is not one of ours` }));
  for (const each of addresses.filter((one) => !foreign.includes(one) && !isAskedFor(entry, one))) {
    findings.push({ kind: 'foreign-domain', address: each, node: undefined, text: `${each} (${dn}): no user map asks this directory for its domain, so nobody finds it` });
  }
  if (mailHost === undefined || mailHost === '') {
    if (needsHost === 'yes' && config.routing.mappingHost === undefined) findings.push({ kind: 'no-host', address, node: undefined, text: `${dn} names no host, and there is no default (routing.mappingHost)` });
  } else if (nodeOfMailHost(config.nodes, mailHost) === undefined) {
    findings.push({ kind: 'unknown-host', address, node: undefined, text: `${dn} names ${mailHost}, which is no node of this cluster` });
  }
  return findings;
}

/** Whether some user map asks the entry's directory for the address's domain. */
function isAskedFor({ domains }: ListedEntry, address: string): boolean {
  return domains === undefined || domains.includes(address.slice(address.lastIndexOf('@') + 1));
}

function duplicates(entries: readonly ListedEntry[]): Finding[] {
  const owners = new Map<string, Set<string>>();
  for (const entry of entries) for (const address of entry.addresses.filter((each) => isAskedFor(entry, each))) owners.set(address, (owners.get(address) ?? new Set()).add(entry.dn));
  return [...owners].filter(([, dns]) => dns.size > 1).map(([address, dns]) => ({ kind: 'duplicate', address, node: undefined, text: `${address} belongs to several entries: ${[...dns].toSorted().join('; ')}` }));
}

function nodeFindings({ config }: ClusterView, { entries, nodes }: { readonly entries: readonly ListedEntry[]; readonly nodes: Nodes }): Finding[] {
  const findings: Finding[] = [];
  const named = new Map(entries.flatMap((entry) => entry.addresses.slice(0, 1).filter((address) => isAskedFor(entry, address)).map((address) => [address, nodeOfMailHost(config.nodes, entry.mailHost)] as const)));
  const holders = Map.groupBy([...nodes].flatMap(([node, overview]) => (overview?.live ?? []).map((address) => ({ node, address }))), ({ address }) => address);
  for (const [address, held] of holders) {
    const names = held.map(({ node }) => node);
    const wanted = named.get(address);
    if (!named.has(address)) findings.push({ kind: 'no-entry', address, node: names[0], text: `${address} has mail on ${names.join(', ')}, but no entry in the directory` });
    if (names.length > 1) findings.push({ kind: 'held-twice', address, node: wanted, text: `${address} has mail on ${names.join(' and ')}: bring it together with  waybill account move ${address} ${wanted ?? names[0] ?? ''} --from ${names.find((name) => name !== wanted) ?? ''}` });
    else if (wanted !== undefined && !names.includes(wanted)) findings.push({ kind: 'held-elsewhere', address, node: names[0], text: `${address} lives on ${names.join(', ')}, the directory names ${wanted}:  waybill account move ${address} ${wanted}` });
  }
  for (const [node, overview] of nodes) {
    if (overview === undefined) findings.push({ kind: 'unreachable', address: undefined, node, text: `${node} does not answer: what it holds is not known` });
    for (const { address, from, stage } of overview?.arriving ?? []) findings.push({ kind: 'move-unfinished', address, node, text: `${address} is on its way from ${from} to ${node} (${stage}): if nobody works at it, run  waybill account move ${address} ${node}  to go on, or with --abort to give it up` });
    for (const { address, node: to, mail } of overview?.left ?? []) if (mail === 'unverified') findings.push({ kind: 'left-unverified', address, node, text: `${address} moved to ${to}, but its mail on ${node} was not compared yet:  waybill account move ${address} ${to}` });
  }
  return findings;
}
