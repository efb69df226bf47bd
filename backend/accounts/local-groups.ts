/** Mailing groups that no directory has, as entries that the user maps can expand. */
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import type { Storage } from '../storage/storage.ts';

/** The first of the addresses that is a group's; groups of this node inside it are replaced by their members. */
export function localGroup({ lives }: Pick<Storage, 'lives'>, addresses: readonly string[]): UserEntry | undefined {
  const address = addresses.find((one) => lives.localName(one)?.kind === 'group');
  if (address === undefined) return undefined;
  const seen = new Set<string>([address]);
  const membersOf = (group: string): readonly string[] => {
    const name = lives.localName(group);
    return (name?.kind === 'group' ? name.members : []).flatMap((member) => {
      if (lives.localName(member)?.kind !== 'group') return [member];
      if (seen.has(member)) return [];
      seen.add(member);
      return membersOf(member);
    });
  };
  return {
    address, dn: undefined, map: '', mailHost: undefined, aliases: [], routingAddress: undefined,
    group: { members: [], addresses: [...new Set(membersOf(address))], more: 'no' },
  };
}
