/** `waybill config history|diff`: the versions that were published, and what differs between them. */
import { headOf, parseIfReadable, withPublication } from '../publishing/config-home.ts';
import type { ConfigHome } from '../publishing/config-home.ts';
import { lineDiff } from '../publishing/line-diff.ts';
import { openHome, readNumber, requireHead, restartLines, versionOf } from './config-home.ts';
import type { Published } from '../publishing/published.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

/** The newest first. @throws Failure('directory-unavailable') */
export async function historyText(options: { readonly config: string; readonly json?: boolean }): Promise<string> {
  const home = await openHome(options.config);
  const versions = await withPublication(home, async (publication) => publication.history());
  if (options.json === true) return JSON.stringify(versions, null, 2);
  if (versions.length === 0) return `nothing is published at ${home.bootstrap.directory.entry}`;
  return table([['VERSION', 'AT', 'BY', 'DIGEST', 'MESSAGE'], ...versions.map(({ number, at, by, digest, message }) => [String(number), at, by, digest.slice(0, 16), message])]);
}

/**
 * Between two versions; one alone is compared with the present one, and the present one with that before it.
 * @throws Failure('directory-unavailable'), UsageError
 */
export async function diffText(numbers: readonly string[], options: { readonly config: string }): Promise<string> {
  const home = await openHome(options.config);
  const [before, after] = await twoVersions(home, numbers.map(readNumber));
  const difference = lineDiff(before.text, after.text);
  if (difference === '') return `versions ${String(before.number)} and ${String(after.number)} are the same text`;
  const [old, next] = [parseIfReadable(home, before), parseIfReadable(home, after)];
  const restarts = next === undefined ? [] : restartLines(old, next);
  return [`--- ${titleOf(before)}`, `+++ ${titleOf(after)}`, difference, ...restarts].join('\n');
}

async function twoVersions(home: ConfigHome, [one, other]: readonly number[]): Promise<readonly [Published, Published]> {
  if (one !== undefined && other !== undefined) return [await versionOf(home, one), await versionOf(home, other)];
  const head = requireHead(home, await headOf(home));
  if (one !== undefined) return [await versionOf(home, one), head];
  if (head.number === 1) throw new UsageError('version 1 is the first; there is none to compare it with');
  return [await versionOf(home, head.number - 1), head];
}

function titleOf({ number, by, at, message }: Published): string {
  return `version ${String(number)} by ${by} at ${at}${message === '' ? '' : `: ${message}`}`;
}
