/** Compares the whole directory with what the nodes hold: entries nobody can use, and mail that no entry leads to. Pure. */
import { z } from 'zod';
import type { ListedEntry } from './directory-listing.ts';
import { localDomains, nodeOfMailHost } from './effective.ts';
import type { NodeConfig } from './effective.ts';

export const findingKinds = ['no-host', 'unknown-host', 'duplicate', 'foreign-domain', 'unreachable', 'held-elsewhere', 'no-entry', 'held-twice', 'move-unfinished', 'left-unverified'] as const;
export type FindingKind = (typeof findingKinds)[number];

/** One thing that an administrator should look at. */
export interface Finding {
  readonly kind: FindingKind;
  readonly address: string | undefined;
  readonly node: string | undefined;
  readonly text: string;
}

/** Where back-ends tell each other, and commands on their machines, what they hold. */
export const overviewPath = '/moves/addresses/';
export const overviewSchema = z.object({
  live: z.array(z.string()),
  arriving: z.array(z.object({ address: z.string(), from: z.string(), stage: z.string() })),
  left: z.array(z.object({ address: z.string(), node: z.string(), mail: z.string(), atMs: z.number() })),
});
/** What a back-end holds: accounts, those on their way to it, mail of those that went away. */
export type Overview = z.output<typeof overviewSchema>;

export interface Looked {
  readonly entries: readonly ListedEntry[];
  /** By back-end; undefined: no answer. */
  readonly nodes: ReadonlyMap<string, Overview | undefined>;
}

export function findingsOf(config: NodeConfig, looked: Looked): readonly Finding[] {
  const { entries } = looked;
  return [...entries.flatMap((entry) => entryFindings(config, entry)), ...duplicates(entries), ...nodeFindings(config, looked)];
}

function entryFindings(config: NodeConfig, entry: ListedEntry): Finding[] {
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

function nodeFindings(config: NodeConfig, { entries, nodes }: Looked): Finding[] {
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
