/** A day as the sections of a report, in words and numbers of a language; how they look is not known here. Pure. */
import type { Language } from '../../shared/language/language.ts';
import type { DailySection } from '../reporting.ts';
import { attentionOf } from './attention.ts';
import type { ClusterDay } from './cluster-day.ts';
import { figuresOf } from './figures.ts';
import type { Figures } from './figures.ts';
import type { NodeDay } from './node-day.ts';
import { formatFor } from './report-format.ts';
import type { Format } from './report-format.ts';
import { reportTexts } from './texts.ts';
import type { ReportTexts } from './texts.ts';
import { topOf } from './top-names.ts';

export type Block =
  | { readonly kind: 'figures'; readonly figures: readonly { readonly label: string; readonly value: string }[] }
  /** The first `words` columns are words, the others numbers. */
  | { readonly kind: 'table'; readonly words: number; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'note'; readonly text: string };

export interface ReportText {
  readonly language: Language;
  readonly subject: string;
  readonly title: string;
  readonly cluster: string;
  readonly date: string;
  readonly headline: { readonly tone: 'well' | 'attention'; readonly text: string };
  readonly attention: readonly string[];
  readonly sections: readonly { readonly title: string; readonly blocks: readonly Block[] }[];
  readonly closing: readonly string[];
}

interface Ground {
  readonly cluster: ClusterDay;
  /** Of nodes that answered. */
  readonly days: readonly NodeDay[];
  readonly figures: Figures;
  readonly texts: ReportTexts;
  readonly format: Format;
}

const ordinaryHours = 24;
const mostActs = 25;

export function reportText(cluster: ClusterDay, { language, sections }: { readonly language: Language; readonly sections: readonly DailySection[] }): ReportText {
  const texts = reportTexts[language];
  const format = formatFor(language, cluster.timeZone);
  const ground: Ground = { cluster, texts, format, figures: figuresOf(cluster), days: cluster.nodes.flatMap((told) => (told.kind === 'told' ? [told.day] : [])) };
  const { fromMs, toMs } = cluster.span;
  const noon = fromMs + (toMs - fromMs) / 2;
  const hours = (toMs - fromMs) / 3_600_000;
  const attention = attentionOf(cluster, ground);
  return {
    language, title: texts.title, cluster: cluster.cluster, attention,
    subject: texts.subject(cluster.cluster, format.date(noon)),
    date: hours === ordinaryHours ? format.day(noon) : `${format.day(noon)} (${texts.hours(format.number(hours))})`,
    headline: attention.length === 0 ? { tone: 'well', text: texts.allWell } : { tone: 'attention', text: texts.attention(attention.length) },
    sections: sections.map((section) => ({ title: texts.sections[section], blocks: blocksOf[section](ground) })),
    closing: [texts.asked(`${format.time(cluster.askedMs)} (${cluster.timeZone})`), texts.footer],
  };
}

const blocksOf: Readonly<Record<DailySection, (ground: Ground) => readonly Block[]>> = {
  nodes: ({ cluster: { nodes }, texts: { columns, states, roles } }) => [{
    kind: 'table', words: 4, head: [columns.node, columns.role, columns.state, columns.version],
    rows: nodes.map((told) => (told.kind === 'silent' ? [told.node, roles[told.role], states.silent, ''] : [told.node, roles[told.role], states[told.day.state], String(told.day.configuration.number ?? told.day.configuration.version)])),
  }],
  mail: ({ figures, texts, format }) => [
    {
      kind: 'figures',
      figures: ([['accepted', figures.accepted], ['delivered', figures.delivered], ['sent', figures.sent], ['refused', figures.refusedRecipients], ['refusedMessages', figures.refusedMessages], ['refusedConnections', figures.refusedConnections], ['bounced', figures.bounced], ['delayed', figures.delayed]] as const)
        .map(([name, value]) => ({ label: texts.mail[name], value: name === 'accepted' && figures.acceptedBytes > 0 ? `${format.number(value)} (${format.bytes(figures.acceptedBytes)})` : format.number(value) })),
    },
    ...incomplete(figures.unknownOf, figures.partOf, texts),
  ],
  logins: ({ figures, texts, format }) => [
    {
      kind: 'table', words: 1, head: [texts.columns.protocol, texts.columns.succeeded, texts.columns.failed],
      rows: figures.logins.map(({ protocol, succeeded, failed }) => [texts.protocols[protocol], format.number(succeeded), format.number(failed)]),
    },
    ...incomplete(figures.unknownAtEdge, figures.partOf, texts),
  ],
  top: (ground) => {
    const tables = (['domains', 'accounts'] as const).flatMap((scope) => topTable(ground, scope));
    if (tables.length > 0) return tables;
    return [note(ground.days.some(({ domains, accounts }) => domains !== undefined || accounts !== undefined) ? ground.texts.nothingCounted : ground.texts.notCounted)];
  },
  queue: ({ days, texts: { columns }, format }) => [{
    kind: 'table', words: 1, head: [columns.node, columns.messages, columns.oldest],
    rows: days.flatMap(({ node, queue }) => (queue === undefined ? [] : [[node, format.number(queue.messages), queue.messages === 0 ? '' : format.age(queue.oldestSeconds)]])),
  }],
  storages: ({ days, texts, format }) => [{
    kind: 'table', words: 2, head: [texts.columns.node, texts.columns.storage, texts.columns.mail, texts.columns.free, texts.columns.grown],
    rows: days.flatMap(({ node, storages, grownBytes }) => storages.map(({ directory, mailBytes, freeBytes, totalBytes }, index) => [
      node, directory,
      mailBytes === undefined ? texts.unknown : format.bytes(mailBytes),
      freeBytes === undefined || totalBytes === undefined || totalBytes === 0 ? texts.unknown : texts.free(format.bytes(freeBytes), format.percent(freeBytes / totalBytes)),
      index > 0 ? '' : grownBytes === undefined ? texts.unknown : format.bytes(grownBytes), // of all storages of the node
    ])),
  }],
  certificates: ({ days, texts, format }) => {
    const rows = days.flatMap(({ node, certificates }) => certificates.map(({ parameter, file, endsAtMs }) => [node, `${parameter} (${file})`, format.date(endsAtMs)]));
    return [rows.length === 0 ? note(texts.noneEnds) : { kind: 'table', words: 3, head: [texts.columns.node, texts.columns.certificate, texts.columns.ends], rows }];
  },
  configuration: ({ days, texts, format }) => {
    const published = days.flatMap(({ audit }) => audit.published).toSorted((one, other) => one.version - other.version);
    const rows = published.map(({ version, who, at, message }) => [String(version), format.time(Date.parse(at)), who, message]);
    return [rows.length === 0 ? note(texts.noneOf('published')) : { kind: 'table', words: 4, head: [texts.columns.number, texts.columns.when, texts.columns.who, texts.columns.message], rows }];
  },
  audit: ({ days, texts, format }) => {
    const rows = days.flatMap(({ node, audit }) => audit.acts.map(({ who, what, refused, times }) => ({ times, cells: [node, who, refused ? texts.refusedAct(what) : what, format.number(times)] })));
    const shown = rows.toSorted((one, other) => other.times - one.times).slice(0, mostActs).map(({ cells }) => cells);
    const kept = (how: NodeDay['audit']['kept']): string => days.filter(({ audit }) => audit.kept === how).map(({ node }) => node).join(', ');
    return [
      shown.length === 0 ? note(texts.noneOf('acts')) : { kind: 'table', words: 3, head: [texts.columns.node, texts.columns.who, texts.columns.what, texts.columns.times], rows: shown },
      ...(kept('none') === '' ? [] : [note(texts.auditElsewhere(kept('none')))]), ...(kept('end') === '' ? [] : [note(texts.auditCut(kept('end')))]),
    ];
  },
};

function note(text: string): Block {
  return { kind: 'note', text };
}

function incomplete(unknownOf: readonly string[], partOf: readonly string[], texts: ReportTexts): readonly Block[] {
  return [
    ...(unknownOf.length === 0 ? [] : [note(texts.incomplete(unknownOf.join(', ')))]),
    ...(partOf.length === 0 ? [] : [note(texts.partly(partOf.join(', ')))]),
  ];
}

function topTable({ days, texts: { columns }, format }: Ground, scope: 'domains' | 'accounts'): readonly Block[] {
  const names = topOf(days.flatMap((day) => day[scope] ?? []));
  if (names.length === 0) return [];
  return [{
    kind: 'table', words: 1, head: [scope === 'domains' ? columns.domain : columns.account, columns.received, columns.sent, columns.logins],
    rows: names.map((one) => [one.name, format.number(one.messages_received), format.number(one.messages_sent), format.number(one.logins)]),
  }];
}
