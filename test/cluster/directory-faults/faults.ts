/** The faults a directory can have, each with its beginning and its end. */
import type { LdapFault } from '../../harness/ldap-fault-proxy.ts';
import type { Setting } from './setting.ts';

export interface Fault {
  readonly name: string;
  /** `slow`: answers come, late; `none`: nobody who needs this directory and isn't known gets in. */
  readonly service: 'slow' | 'none';
  /** Whether the directory can still be believed when it says that there is no such user. */
  readonly denials: 'believable' | 'not believable';
  begin(setting: Setting): Promise<void>;
  end(setting: Setting): Promise<void>;
}

/** Answers that are none, or none that can be believed. */
export const spoiltAnswers: readonly Fault[] = [
  spoilt('busy', { kind: 'result', code: 51, of: 'everything' }),
  spoilt('unavailable', { kind: 'result', code: 52, of: 'everything' }),
  spoilt('unwilling to perform', { kind: 'result', code: 53, of: 'everything' }),
  spoilt('operations error', { kind: 'result', code: 1, of: 'everything' }),
  spoilt('size limit exceeded', { kind: 'result', code: 4, of: 'searches' }),
  spoilt('time limit exceeded', { kind: 'result', code: 3, of: 'searches' }),
  spoilt('only a referral', { kind: 'result', code: 10, of: 'searches' }),
  spoilt('cut in an entry', { kind: 'cut', where: 'in an entry' }),
  spoilt('cut before the result', { kind: 'cut', where: 'before the result' }),
  spoilt('garbage', { kind: 'garbage' }),
  { ...spoilt('truncated entry', { kind: 'truncated entry', missingBytes: 5 }), denials: 'believable' },
  spoilt('endless entries', { kind: 'endless entries' }),
];

/** Outages, and servers that are not those they were. */
export const outages: readonly Fault[] = [
  outage('refused', { begin: async ({ proxy }) => proxy.refuse(), end: async ({ proxy }) => proxy.accept() }),
  outage('killed', { begin: async ({ directory }) => directory.halt(), end: async ({ directory }) => directory.resume() }),
  outage('stopped', { begin: async ({ directory }) => signal(directory.pid, 'SIGSTOP'), end: async ({ directory }) => signal(directory.pid, 'SIGCONT') }),
  { ...spoilt('slow', { kind: 'late', delayMs: 3000 }), service: 'slow', denials: 'believable' },
  spoilt('other message id', { kind: 'other message id' }),
  reconnecting('wrong certificate', async ({ proxy, certificates }) => Promise.resolve(proxy.useCertificate(certificates.wrong)), async ({ proxy, certificates }) => Promise.resolve(proxy.useCertificate(certificates.right))),
  reconnecting('service password wrong', async (setting) => setting.setServicePassword('wrong'), async (setting) => setting.setServicePassword('right')),
  reconnecting('search base vanished', async ({ proxy, emptied }) => { proxy.target = emptied.port; return Promise.resolve(); }, async ({ proxy, directory }) => { proxy.target = directory.port; return Promise.resolve(); }),
];

function outage(name: string, times: Pick<Fault, 'begin' | 'end'>): Fault {
  return { name, service: 'none', denials: 'not believable', ...times };
}

function spoilt(name: string, fault: LdapFault): Fault {
  return outage(name, { begin: async ({ proxy }) => setFault(proxy, fault), end: async ({ proxy }) => setFault(proxy, { kind: 'none' }) });
}

async function setFault(proxy: Setting['proxy'], fault: LdapFault): Promise<void> {
  proxy.fault = fault;
  return Promise.resolve();
}

/** What is only seen by who connects anew: all connections are cut at its beginning and at its end. */
function reconnecting(name: string, begin: (setting: Setting) => Promise<void>, end: (setting: Setting) => Promise<void>): Fault {
  const then = (change: typeof begin) => async (setting: Setting): Promise<void> => {
    await change(setting);
    setting.proxy.cutAll();
  };
  return outage(name, { begin: then(begin), end: then(end) });
}

async function signal(pid: number, name: NodeJS.Signals): Promise<void> {
  process.kill(pid, name);
  return Promise.resolve();
}
