/**
 * `waybill config draft …`: edits of the configuration that are kept in a file of one's own until they are committed. It
 * works for a published configuration and for one that nodes read as a file.
 */
import { chmod, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Failure } from '../../shared/base/failure.ts';
import { parseVersion } from '../load.ts';
import type { ClusterConfig } from '../load.ts';
import { formatDraft, parseDraft, parsePlace, withoutValueAt, withValueAt } from '../publishing/draft.ts';
import type { Draft } from '../publishing/draft.ts';
import { lineDiff } from '../publishing/line-diff.ts';
import { digestOf } from '../publishing/published.ts';
import { readSourceFile } from '../publishing/source-file.ts';
import type { SourceVersion } from '../publishing/source-version.ts';
import { openHome, restartLines } from './config-home.ts';
import { readVersion } from './load-config.ts';
import { publishText } from './publish-command.ts';
import type { PublishOptions } from './publish-command.ts';
import { UsageError } from './usage-error.ts';

export interface DraftOptions {
  readonly config: string;
  /** Beside the configuration or bootstrap file when absent. */
  readonly draft?: string;
}

function draftFile({ config, draft }: DraftOptions): string {
  return draft ?? `${config}.draft`;
}

/** By the number of what is published, or the digest of the file. */
function nameOf({ number, text }: SourceVersion): string {
  return number === undefined ? digestOf(text).slice(0, 16) : String(number);
}

/** Begins a draft of what is in use. @throws UsageError where there is one already */
export async function draftNew(options: DraftOptions): Promise<string> {
  const file = draftFile(options);
  const version = await readVersion(options.config);
  try {
    await writeFile(file, formatDraft({ from: nameOf(version), text: version.text }), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new UsageError(`there is a draft already: ${file}. Commit or discard it first`);
  }
  return `${file} is a draft of version ${nameOf(version)}; edit it with "config draft set" or any editor`;
}

/** Without a value: takes away what is there. Answers what is wrong with the draft now, if anything. */
export async function draftSet(place: string, value: string | undefined, options: DraftOptions): Promise<string> {
  const draft = await readDraft(options);
  const path = parsePlace(place);
  const text = value === undefined ? withoutValueAt(draft.text, path) : withValueAt(draft.text, path, value);
  await replaceFile(draftFile(options), formatDraft({ ...draft, text }));
  return `${lineDiff(draft.text, text)}\n${await verdictOn({ ...draft, text }, options)}`.trim();
}

export async function draftShow(options: DraftOptions): Promise<string> {
  return (await readDraft(options)).text;
}

/** Against what is in use. */
export async function draftDiff(options: DraftOptions): Promise<string> {
  const draft = await readDraft(options);
  const present = await readVersion(options.config);
  const difference = lineDiff(present.text, draft.text);
  const stale = nameOf(present) === draft.from ? [] : [`(the draft is of version ${draft.from}, and version ${nameOf(present)} came meanwhile)`];
  return [...stale, difference === '' ? 'no difference' : difference, ...restartLines(parseVersion(present), await checked(draft, options))].join('\n');
}

/** @throws ConfigurationRefused with every problem */
export async function draftCheck(options: DraftOptions): Promise<string> {
  const draft = await readDraft(options);
  await checked(draft, options);
  return `the draft of version ${draft.from} is good`;
}

export async function draftDiscard(options: DraftOptions): Promise<string> {
  await readDraft(options);
  await rm(draftFile(options));
  return 'the draft is gone; nothing was changed';
}

/**
 * Publishes it, or puts it in the place of the file, unless another version came since the draft was begun.
 * @throws ConfigurationRefused, Failure('in-use')
 */
export async function draftCommit(options: DraftOptions & PublishOptions, say: (text: string) => void): Promise<number> {
  const draft = await readDraft(options);
  const exitCode = (await readSourceFile(options.config)).bootstrap === undefined ? await commitToFile(draft, options, say) : await commitByPublishing(draft, options, say);
  await rm(draftFile(options));
  return exitCode;
}

async function commitByPublishing(draft: Draft, options: DraftOptions & PublishOptions, say: (text: string) => void): Promise<number> {
  const home = await openHome(options.config);
  return publishText(home, { text: draft.text, label: draftFile(options), after: Number(draft.from), message: options.message ?? '' }, { options, say });
}

async function commitToFile(draft: Draft, options: DraftOptions, say: (text: string) => void): Promise<number> {
  await checked(draft, options);
  const present = await readVersion(options.config);
  if (nameOf(present) !== draft.from) throw new Failure('in-use', `${options.config} was changed since the draft was begun, and is left as it is: see "config draft diff", and begin again from there`);
  await replaceFile(options.config, draft.text);
  say(`${options.config} is replaced; its nodes put it to use, see "config status --config ${options.config}"`);
  return 0;
}

async function readDraft(options: DraftOptions): Promise<Draft> {
  const text = await readFile(draftFile(options), 'utf8').catch((error: unknown) => {
    throw new UsageError(`there is no draft (${draftFile(options)}: ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}); "config draft new" begins one`);
  });
  return parseDraft(text);
}

/** @throws ConfigurationRefused */
async function checked({ text }: Draft, options: DraftOptions): Promise<ClusterConfig> {
  return parseVersion({ ...await readVersion(options.config), text, label: draftFile(options) });
}

async function verdictOn(draft: Draft, options: DraftOptions): Promise<string> {
  try {
    await checked(draft, options);
    return '';
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConfigurationRefused')) throw error;
    return `not good yet:\n${error.message}`;
  }
}

/** Whole or not at all, with the rights that the file has. */
async function replaceFile(file: string, text: string): Promise<void> {
  const { mode } = await stat(file);
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await chmod(`${file}.new`, mode & 0o777);
  await rename(`${file}.new`, file);
}
