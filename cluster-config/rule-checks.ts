/** What must hold between the rules of one list, between a listener's parameters, and between numbers of threads. */
import type { Problem } from './problem.ts';
import type { Parameters } from './schema.ts';

interface RuleLists {
  readonly allowRules: readonly { readonly ipSet: string }[];
  readonly denyRules: readonly { readonly ipSet: string }[];
}

/** A set of addresses is the key of a rule: twice in one list, one of the two could only mislead. */
export function checkRules({ services, access, tls }: Parameters): readonly Problem[] {
  const ofServices = Object.entries(services).flatMap(([name, service]): readonly Problem[] => {
    if (!('listeners' in service)) return [];
    const path = ['services', name];
    const withoutAuthority = tls.userCertificates === undefined ? askingListeners(service.listeners) : [];
    return [
      ...twice(path, service),
      ...service.listeners.flatMap((listener, index) => twice([...path, 'listeners', index], listener)),
      ...withoutAuthority.map((index): Problem => ({ path: [...path, 'listeners', index, 'requestClientCertificate'], text: 'needs tls.userCertificates, which says whose certificates count' })),
    ];
  });
  return [...twice(['access'], access), ...ofServices, ...checkThreads(services)];
}

function checkThreads(services: Parameters['services']): readonly Problem[] {
  return Object.entries(services).flatMap(([name, service]): readonly Problem[] =>
    ('minConnThreads' in service && service.minConnThreads > service.maxConnThreads ? [{ path: ['services', name, 'minConnThreads'], text: 'is more than maxConnThreads' }] : []));
}

function askingListeners(listeners: readonly object[]): readonly number[] {
  return listeners.flatMap((listener, index) => ('requestClientCertificate' in listener && listener.requestClientCertificate === true ? [index] : []));
}

function twice(path: readonly PropertyKey[], lists: RuleLists): readonly Problem[] {
  return (['allowRules', 'denyRules'] as const).flatMap((list) => {
    const sets = lists[list].map(({ ipSet }) => ipSet.trim().toLowerCase());
    return sets.flatMap((set, index): readonly Problem[] =>
      (sets.indexOf(set) === index ? [] : [{ path: [...path, list, index, 'ipSet'], text: `the set "${set}" stands here twice` }]));
  });
}
