/** The file as the source of the configuration: watches it and hands on each new version that passes all checks. */
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Logger } from '../shared/log/log.ts';
import { parseVersion } from './load.ts';
import { ConfigurationRefused } from './problem.ts';

/** Editors write a file in several steps; it is read when it has been left alone for so long. */
const debounceMs = 150;
/** Looked at so often besides, for file systems that send no news. */
const lookAgainMs = 10_000;

export interface WatchOptions {
  /** The text that is in use when the watch begins. */
  readonly initialText: string;
  readonly log: Logger;
  /** Puts a version to use that passed all checks; a rejection means that the old one stays in use. */
  readonly onVersion: (text: string) => Promise<void>;
  /** Hears of a text that is not put to use, with the reasons, besides the log. */
  readonly onRefused?: (reasons: string) => void;
  /** Hears that the text is again the one in use. */
  readonly onUndone?: () => void;
}

export interface ConfigWatch {
  /** Looks at the file now (for SIGHUP). Resolves when a new version, if there is one, is in use or refused. */
  lookNow(): Promise<void>;
  close(): void;
}

/**
 * Watches a configuration file, also when it is replaced by renaming. Each new text is checked; a bad one is logged with
 * line and reason, and the old version stays in use. Versions are handed on one after another.
 */
export function watchConfig(file: string, options: WatchOptions): ConfigWatch {
  let inUse = options.initialText;
  let seen = options.initialText;
  let turn: Promise<void> = Promise.resolve();
  let debounce: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const text = await readFile(file, 'utf8');
    if (text === seen) return;
    seen = text;
    if (text === inUse) {
      options.log.info({ file }, 'the configuration is again the one in use');
      options.onUndone?.();
      return;
    }
    parseVersion({ text, label: file, file, base: {} });
    await options.onVersion(text);
    inUse = text;
  };
  const lookNow = async (): Promise<void> => {
    turn = turn.then(look).catch((error: unknown) => {
      if (error instanceof ConfigurationRefused) {
        options.log.error({ file, problems: error.message.split('\n') }, 'configuration refused; the version before stays in use');
        options.onRefused?.(error.message);
      } else if (isMissing(error)) options.log.warn({ file }, 'the configuration file is missing; the version before stays in use');
      else {
        options.log.error({ err: error, file }, 'configuration not applied; the version before stays in use');
        options.onRefused?.(error instanceof Error ? error.message : String(error));
      }
    });
    await turn;
  };
  const lookSoon = (): void => {
    clearTimeout(debounce);
    // Never rejects: what goes wrong is logged.
    debounce = setTimeout(() => void lookNow(), debounceMs);
  };

  // The folder is watched, not the file: after a rename the file's own watch would follow the old one.
  const watcher = watch(dirname(resolve(file)), (_event, name) => {
    if (name === null || name === basename(file) || name === '..data') lookSoon();
  });
  watcher.on('error', (error) => { options.log.warn({ err: error, file }, 'changes of the configuration file are noticed late'); });
  const timer = setInterval(lookSoon, lookAgainMs).unref();
  // What changed between the first reading and this watch.
  lookSoon();

  return {
    lookNow,
    close: () => {
      clearTimeout(debounce);
      clearInterval(timer);
      watcher.close();
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
