/** Checks, repairs, backups and other long work of one back-end: how they go on, and what was found. */
import { sizeText } from '../../../../../shared/page/dates.ts';
import { pathOf } from '../api.ts';
import { countText, distance, exactTime } from '../format.ts';
import { Badge, Shown } from '../parts/screen.tsx';
import type { Tone } from '../parts/screen.tsx';
import { useResource } from '../resource.ts';
import type { Resource } from '../resource.ts';
import type { JobsView, JobView, StorageCheck, StorageRepair } from '../views.ts';

/** What is wrong is listed up to here; the command tells all. */
const mostFindings = 50;

export function useJobs(node: string): Resource<JobsView> {
  return useResource<JobsView>(`${pathOf('nodes', node)}/jobs`, { everyMs: 2000 });
}

export function StorageJobs({ jobs }: { readonly jobs: Resource<JobsView> }) {
  return (
    <Shown of={jobs}>
      {({ jobs: all }) => (all.length === 0 ? null : <ul class="jobs">{all.map((job) => <Job key={job.id} job={job} />)}</ul>)}
    </Shown>
  );
}

const kinds: Readonly<Record<JobView['kind'], string>> = { check: 'Check', backup: 'Backup', restore: 'Restore', compact: 'Compaction', repair: 'Repair', 'search-index': 'Text index' };

function Job({ job }: { readonly job: JobView }) {
  const { kind, subject, state, startedAt, done, of, text, checks = [], repaired = [], compacted = [] } = job;
  const title = `${kinds[kind]} of ${subject}`;
  return (
    <li>
      <p role="status"><strong>{title}</strong> <Badge tone={toneOf(job)}>{outcomeOf(job)}</Badge> <time class="soft small" dateTime={startedAt} title={exactTime(startedAt)}>{distance(startedAt)}</time></p>
      {state === 'running' && <progress aria-label={title} {...(done === undefined || of === undefined || of === 0 ? {} : { value: done, max: of })} />}
      {state !== 'done' && <p class="small">{text}</p>}
      {checks.map((check) => <Checked key={check.directory} check={check} />)}
      {repaired.map((repair) => <Repaired key={repair.directory} repair={repair} />)}
      {compacted.map(({ directory, packs, freed }) => <p key={directory} class="small"><code>{directory}</code>: {packs === 0 ? 'no file has so much that is dead' : `${countText(packs, 'file')} rewritten, ${sizeText(freed)} are free in some minutes`}.</p>)}
    </li>
  );
}

function Checked({ check: { directory, accounts, messages, bytes, found, findings } }: { readonly check: StorageCheck }) {
  return (
    <div>
      <p class="small"><code>{directory}</code>: {countText(accounts, 'account')}, {countText(messages, 'message')}, {sizeText(bytes)} read; {found === 0 ? 'nothing wrong' : countText(found, 'thing is wrong', 'things are wrong')}.</p>
      {findings.length > 0 && <ol class="small">{findings.slice(0, mostFindings).map((finding, index) => <li key={index}>{finding.loss && <Badge tone="bad">mail lost</Badge>} {finding.text}</li>)}</ol>}
      {found > mostFindings && <p class="small">The rest by <code>waybill storage check</code>.</p>}
    </div>
  );
}

function Repaired({ repair: { directory, found, mended, left } }: { readonly repair: StorageRepair }) {
  return (
    <div>
      <p class="small"><code>{directory}</code>: {found === 0 ? 'nothing was wrong' : `${countText(mended.length, 'thing')} mended, ${countText(left.length, 'thing is wrong still', 'things are wrong still')}`}.</p>
      <Named title="Wrong still" things={left} />
      <Named title="Mended" things={mended} />
    </div>
  );
}

type Thing = StorageRepair['mended'][number] & { readonly loss?: boolean };

function Named({ title, things }: { readonly title: string; readonly things: readonly Thing[] }) {
  if (things.length === 0) return null;
  return (
    <>
      <p class="small">{title}:</p>
      <ol class="small" aria-label={title}>{things.slice(0, mostFindings).map((thing, index) => <li key={index}>{thing.loss === true && <><Badge tone="bad">mail lost</Badge> </>}{thing.text}{placeOf(thing)}</li>)}</ol>
      {things.length > mostFindings && <p class="small">The rest by <code>waybill storage repair</code>.</p>}
    </>
  );
}

/** Where it was, and which message it is, as far as that is known. */
function placeOf({ account, mailbox, uid, subject, messageId }: Thing): string {
  const parts = [account, mailbox, uid === undefined ? undefined : `UID ${String(uid)}`, subject === undefined || subject === '' ? undefined : `“${subject}”`, messageId].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function toneOf({ state, checks = [], repaired = [] }: JobView): Tone {
  if (state === 'running') return 'warn';
  return state === 'failed' || checks.some(({ found }) => found > 0) || repaired.some(({ left }) => left.length > 0) ? 'bad' : 'good';
}

function outcomeOf({ kind, state, checks = [], repaired = [] }: JobView): string {
  if (state === 'running') return 'goes on';
  if (state === 'failed') return 'failed';
  if (kind === 'repair' && repaired.some(({ left }) => left.length > 0)) return 'something is wrong still';
  if (kind !== 'check') return 'done';
  return checks.every(({ found }) => found === 0) ? 'all is well' : 'something is wrong';
}
