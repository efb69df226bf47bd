/** What of a day an administrator should look at, in words, the gravest first. Pure. */
import type { ClusterDay } from './cluster-day.ts';
import type { NodeDay } from './node-day.ts';
import type { Format } from './report-format.ts';
import type { ReportTexts } from './texts.ts';

/** A message that waits longer should be looked at. */
const oldSeconds = 4 * 3600;

interface Words {
  readonly texts: ReportTexts;
  readonly format: Format;
}

/** Nothing when all is well. */
export function attentionOf({ nodes, askedMs }: ClusterDay, { texts, format }: Words): readonly string[] {
  const silent = nodes.flatMap((told) => (told.kind === 'silent' ? [texts.silent(told.node, told.reason)] : []));
  const told = nodes.flatMap((one) => (one.kind === 'told' ? [one.day] : []));
  const concerns: readonly ((day: NodeDay) => readonly string[])[] = [
    ({ node, state, reason = '' }) => (state === 'ready' ? [] : [texts.notReady(node, reason)]),
    ({ node, ailing }) => ailing.map(({ service, reason = '' }) => texts.service(node, service, reason)),
    ({ node, storages }) => storages.flatMap(({ directory, state, reason = '', freeBytes = 0 }) => (state === 'ok' ? [] : [state === 'low' ? texts.storageLow(node, directory, format.bytes(freeBytes)) : texts.storageFailed(node, directory, reason)])),
    ({ node, certificates }) => certificates.map(({ parameter, endsAtMs }) => (endsAtMs > askedMs ? texts.certificateEnds : texts.certificateEnded)(node, parameter, format.date(endsAtMs))),
    ({ node, configuration: { refused } }) => (refused === undefined ? [] : [texts.refusesConfiguration(node, refused)]),
    ({ node, queue }) => (queue !== undefined && queue.oldestSeconds > oldSeconds ? [texts.queueOld(node, format.age(queue.oldestSeconds))] : []),
  ];
  return [...silent, ...concerns.flatMap((concern) => told.flatMap(concern))];
}
