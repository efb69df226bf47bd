/**
 * Sockets that systemd opened for the node (sd_listen_fds(3)): how the supervisor finds them, and how its workers get them.
 * Each worker has a descriptor of its own for the same socket; the supervisor never closes its, so workers can come and go.
 */

export interface InheritedSocket {
  /** FileDescriptorName= of the socket unit. */
  readonly name: string;
  readonly descriptor: number;
}

/** SD_LISTEN_FDS_START. */
const firstDescriptor = 3;
/** In workers: behind standard input, output, errors and the channel to the supervisor. */
const firstPassed = 4;
const passedNames = 'WAYBILL_LISTEN_FDNAMES';

/** Those meant for this process; of several with one name only the first can be named. */
export function inheritedSockets(environment: Readonly<Record<string, string | undefined>>, pid: number): readonly InheritedSocket[] {
  const { LISTEN_PID: meant, LISTEN_FDS: count = '', LISTEN_FDNAMES: names = '' } = environment;
  if (Number(meant) !== pid || !/^\d{1,4}$/.test(count)) return [];
  const given = names.split(':');
  return Array.from({ length: Number(count) }, (_, index) => ({ name: given[index] ?? 'unknown', descriptor: firstDescriptor + index }));
}

/** How a worker is started so that it has them. */
export function passSockets(sockets: readonly InheritedSocket[]): { readonly stdio: ('inherit' | 'ipc' | number)[]; readonly environment: Record<string, string> } {
  return {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...sockets.map(({ descriptor }) => descriptor)],
    environment: { [passedNames]: sockets.map(({ name }) => name).join(':') },
  };
}

/** A worker's own descriptors by their names. */
export function readPassedSockets(environment: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, number> {
  const names = (environment[passedNames] ?? '').split(':').filter((name) => name !== '');
  return new Map(names.map((name, index): [string, number] => [name, firstPassed + index]).reverse()); // the first of a name counts
}
