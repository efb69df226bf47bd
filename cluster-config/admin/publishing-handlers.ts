/** Published versions over the admin API: history and differences, publishing by compare-and-swap, the way back. */
import type { z } from 'zod';
import { nameOf } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import { ApiRefusal } from '../../shared/admin-api/problem.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { ClusterConfig } from '../load.ts';
import { ConfigurationRefused, pathText } from '../problem.ts';
import type { Problem } from '../problem.ts';
import { headOf, parseIfReadable, withPublication } from '../publishing/config-home.ts';
import type { ConfigHome } from '../publishing/config-home.ts';
import { diffHunks } from '../publishing/line-diff.ts';
import type { Published, VersionFacts } from '../publishing/published.ts';
import { lateFor, publish } from '../publishing/publisher.ts';
import { refusalsOf } from '../publishing/standings.ts';
import { entriesOf } from './configuration-ground.ts';
import type { ConfigurationGround } from './configuration-ground.ts';
import { restartsOf } from './configuration-handlers.ts';
import { publishingOperations } from './contract/publishing.ts';

type Side = NonNullable<z.output<typeof publishingOperations.compareVersions.body>['before']>;
type PublishedAnswer = z.input<typeof publishingOperations.publishConfiguration.answer>;

export function publishingHandlers(ground: ConfigurationGround): readonly Handled[] {
  return [
    handled(publishingOperations.listVersions, async ({ query: { after = Infinity, limit } }) => {
      const home = await ground.publishedHome();
      const all = (await withPublication(home, async (publication) => publication.history())).filter(({ number }) => number < after);
      const versions = all.slice(0, limit);
      const next = all.length > versions.length ? versions.at(-1)?.number : undefined;
      return { versions, ...(next === undefined ? {} : { next: String(next) }) };
    }),
    handled(publishingOperations.showVersion, async ({ params: { number } }) => versionOf(await ground.publishedHome(), number)),
    handled(publishingOperations.compareVersions, async ({ body }) => {
      const [before, after] = await Promise.all([sideOf(ground, body.before), sideOf(ground, body.after)]);
      return {
        hunks: diffHunks(before.text, after.text).map(({ lines, ...place }) => ({ ...place, lines: [...lines] })),
        restarts: after.config === undefined ? [] : restartsOf(before.config, after.config),
        ...(before.facts === undefined ? {} : { before: before.facts }), ...(after.facts === undefined ? {} : { after: after.facts }),
      };
    }),
    handled(publishingOperations.publishConfiguration, async (call) => publishText(ground, call, call.body)),
    handled(publishingOperations.rollBackConfiguration, async (call) => {
      const { version, after, message = `back to version ${String(version)}` } = call.body;
      const { text } = await versionOf(await ground.publishedHome(), version);
      return publishText(ground, call, { text, after, message });
    }),
  ];
}

async function versionOf(home: ConfigHome, number: number): Promise<Published> {
  const found = await withPublication(home, async (publication) => publication.version(number));
  if (found === undefined) throw new ApiRefusal(404, 'no-such-version', { text: `there is no version ${String(number)}`, advice: 'GET /api/v1/configuration/versions lists those that are kept.' });
  return found;
}

interface Compared {
  readonly text: string;
  readonly facts: VersionFacts | undefined;
  /** Undefined when this program can't read it. */
  readonly config: ClusterConfig | undefined;
}

async function sideOf(ground: ConfigurationGround, side: Side | undefined): Promise<Compared> {
  const home = await ground.home();
  if (side !== undefined && 'text' in side) return { text: side.text, facts: undefined, config: await ifReadable(ground, side.text) };
  if (home === undefined && side === undefined) return { text: ground.source.text, facts: undefined, config: ground.running };
  const published = side === undefined ? await headOf(await ground.publishedHome()) : await versionOf(await ground.publishedHome(), side.version);
  if (home === undefined || published === undefined) throw new ApiRefusal(422, 'not-published', { text: 'nothing is published that it could be compared with' });
  const { text, ...facts } = published;
  return { text, facts, config: parseIfReadable(home, published) };
}

async function ifReadable(ground: ConfigurationGround, text: string): Promise<ClusterConfig | undefined> {
  try {
    return await ground.parse(text);
  } catch (error) {
    if (error instanceof ConfigurationRefused) return undefined;
    throw error;
  }
}

interface Wanted {
  readonly text: string;
  readonly after: number;
  readonly message: string;
}

/** @throws ApiRefusal(422) for a text that is bad here or at a node, Failure('in-use') when somebody else was first, Failure('directory-unavailable') */
async function publishText(ground: ConfigurationGround, call: Call, wanted: Wanted): Promise<PublishedAnswer> {
  const home = await ground.publishedHome();
  const config = await parseOrRefuse(ground, wanted.text);
  if (home.bootstrap.directory.write === undefined) return publishElsewhere(ground, call, wanted);
  const head = await headOf(home);
  if (head !== undefined && head.number > wanted.after) throw lateFor(head);
  if (head?.text === wanted.text) throw new ApiRefusal(422, 'nothing-to-do', { text: `version ${String(head.number)}, which is published, is the same text` });
  const present = parseIfReadable(home, head) ?? ground.running;
  const nodes = Object.values(entriesOf(present));
  const said = await ground.ask(nodes, { path: '/configuration/check', body: { text: wanted.text } });
  refuseUnreadable(refusalsOf(said));
  const published = await publish(home.bootstrap, { ...wanted, by: nameOf(call.caller) }, home.environment);
  call.reply.note({ version: published.number, message: published.message });
  const silent = said.flatMap((one) => ('complaint' in one ? [{ node: one.node, reason: one.complaint }] : []));
  await ground.ask(nodes.filter(({ name }) => silent.every(({ node }) => node !== name)), { path: '/configuration/look', body: {} });
  const { text: _text, ...facts } = published;
  return { ...facts, silent, restarts: restartsOf(present, config) };
}

async function parseOrRefuse(ground: ConfigurationGround, text: string): Promise<ClusterConfig> {
  try {
    return await ground.parse(text);
  } catch (error) {
    if (!(error instanceof ConfigurationRefused)) throw error;
    const mistakes = error.problems.slice(0, 100).map((problem) => ({ where: whereText(problem), what: problem.text }));
    throw new ApiRefusal(422, 'configuration-refused', { text: `nothing was published, because the document has mistakes: ${mistakes.slice(0, 3).map(({ where, what }) => `${where}: ${what}`).join('; ')}`, mistakes });
  }
}

function whereText({ path, line, column = 1 }: Problem): string {
  const place = line === undefined ? [] : [`line ${String(line)}, column ${String(column)}`];
  return [...place, ...(path.length === 0 ? [] : [pathText(path)])].join(': ') || 'document';
}

function refuseUnreadable(refusals: ReturnType<typeof refusalsOf>): void {
  if (refusals.length === 0) return;
  throw new ApiRefusal(422, 'node-refuses', {
    text: `nothing was published: ${refusals.map(({ node, why }) => `${node} can't read it (${why})`).join('; ')}`,
    mistakes: refusals.map(({ node, why }) => ({ where: node, what: why })),
  });
}

/** At a node whose bootstrap file says how; the first that answers decides. */
async function publishElsewhere(ground: ConfigurationGround, call: Call, wanted: Wanted): Promise<PublishedAnswer> {
  const candidates = call.caller.via === undefined ? await ground.publishers() : [];
  for (const candidate of candidates) {
    try {
      const answer = publishingOperations.publishConfiguration.answer.parse(await call.ask(candidate, '/configuration/publish', { method: 'POST', body: wanted }));
      call.reply.note({ version: answer.number, message: answer.message, at: candidate });
      return answer;
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
    }
  }
  throw new ApiRefusal(422, 'read-only', { text: 'no node that answers can publish: directory.write stands in none of their bootstrap files', advice: 'Publish by "waybill config publish" where a bootstrap file has it.' });
}
