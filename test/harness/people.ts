/** The people of the test directories, as LDIF below `dc=example,dc=com`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Logger } from '../../shared/log/log.ts';

export const baseLdif = `dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people
`;

export interface Person {
  readonly name: string;
  readonly mailHost?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly mail?: string | undefined;
}

/** Everybody's password. */
export const peoplesPassword = 'waybill-demo';

/** The entry `uid=NAME,ou=people,…`; its address is `name@example.com` unless another is given. */
export function personLdif({ name, mailHost, aliases = [], mail = `${name}@example.com` }: Person): string {
  return [
    `dn: uid=${name},ou=people,dc=example,dc=com`, 'objectClass: inetOrgPerson', 'objectClass: inetLocalMailRecipient',
    `uid: ${name}`, `cn: ${name}`, `sn: ${name}`, `mail: ${mail}`, ...aliases.map((alias) => `mailLocalAddress: ${alias}`),
    ...(mailHost === undefined ? [] : [`mailHost: ${mailHost}`]), `userPassword: ${peoplesPassword}`, '',
  ].join('\n');
}

/** The base and these people, ready for `startSlapd` and for the embedded directory. */
export function directoryLdif(people: readonly Person[]): string {
  return [baseLdif, ...people.map(personLdif)].join('\n');
}

/** A log that keeps its lines, for tests that look at what was logged. */
export function keepingLog(): { readonly log: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => { lines.push(JSON.parse(line) as Record<string, unknown>); } });
  return { log, lines };
}

/** Waits until `condition` holds, for as long as a machine with much else to do may need; what it throws until then doesn't count. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (performance.now() > deadline) throw new Error('it never came true');
    await sleep(25);
  }
}
