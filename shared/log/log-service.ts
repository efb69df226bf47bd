/** The Log service of one process: takes its lines, and those of other nodes, and gives each to a file, another node or syslog. */
import { levelNumber } from './levels.ts';
import type { LogLevel } from './levels.ts';
import { LineFile } from './line-file.ts';
import { filesFor, noService } from './log-rules.ts';
import type { LogRule } from './log-rules.ts';

/** Where lines of a service go: files of this node, another node, syslog. */
export type LogType = 'internal' | 'remote' | 'system';

/** Somewhere beyond this process. It never throws, and keeps only so much when it can't get rid of it. */
export interface LogOutput {
  send(line: string, facts: { readonly level: number; readonly service: string }): void;
  /** Sends what is left, for a moment; never rejects. */
  close(): Promise<void>;
}

export interface LogServiceOptions {
  readonly node: string;
  readonly level: LogLevel;
  readonly type: LogType;
  /** Services with a level or type of their own. */
  readonly services: Readonly<Record<string, { readonly level?: LogLevel | undefined; readonly type?: LogType | undefined }>>;
  readonly rules: readonly LogRule[];
  /** For lines that no rule takes; standard output when undefined. */
  readonly file: string | undefined;
  readonly outputs: Readonly<Partial<Record<'remote' | 'system', LogOutput>>>;
}

interface Way {
  readonly files: readonly LineFile[];
  readonly output: LogOutput | undefined;
}

const nowhere: Way = { files: [], output: undefined };
const graveLevel = levelNumber('error');
/** Services and hosts are few, but a sender might say anything. */
const mostWays = 1000;

export class LogService {
  readonly #options: LogServiceOptions;
  readonly #files = new Map<string | undefined, LineFile>();
  readonly #ways = new Map<string, Way>();
  readonly #rest: LineFile;
  readonly #isPlain: boolean;

  constructor(options: LogServiceOptions) {
    this.#options = options;
    this.#rest = this.#fileOf(options.file);
    this.#isPlain = options.rules.length === 0 && Object.keys(options.services).length === 0 && options.type === 'internal';
  }

  /** The least grave level that any service writes. */
  get level(): LogLevel {
    const all = [this.#options.level, ...Object.values(this.#options.services).flatMap(({ level }) => level ?? [])];
    return all.reduce((least, level) => (levelNumber(level) < levelNumber(least) ? level : least));
  }

  /** A line of this process, newline included. */
  write(line: string, level: number): void {
    if (this.#isPlain) return this.#rest.write(line, level >= graveLevel ? 'now' : 'soon');
    const service = serviceOf(line);
    const way = this.#wayOf({ level, service, host: this.#options.node });
    for (const file of way.files) file.write(line, level >= graveLevel ? 'now' : 'soon');
    way.output?.send(line, { level, service });
  }

  /** A line that another node sent, without newline: only rules and files are asked for it. */
  accept(line: string, facts: { readonly level: number; readonly host: string }): void {
    for (const file of this.#filesOf({ ...facts, service: serviceOf(line) })) file.write(`${line}\n`, 'soon');
  }

  async close(): Promise<void> {
    const { remote, system } = this.#options.outputs;
    await Promise.all([remote?.close(), system?.close()]);
    for (const file of this.#files.values()) file.flush();
  }

  #wayOf(facts: { readonly level: number; readonly service: string; readonly host: string }): Way {
    const key = `${facts.service} ${String(facts.level)}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    const way = this.#findWay(facts);
    if (this.#ways.size < mostWays) this.#ways.set(key, way);
    return way;
  }

  #findWay(facts: { readonly level: number; readonly service: string; readonly host: string }): Way {
    const own = Object.hasOwn(this.#options.services, facts.service) ? this.#options.services[facts.service] : undefined;
    if (facts.level < levelNumber(own?.level ?? this.#options.level)) return nowhere;
    const type = own?.type ?? this.#options.type;
    if (type !== 'internal') return { files: [], output: this.#options.outputs[type] };
    return { files: this.#filesOf(facts), output: undefined };
  }

  #filesOf(facts: { readonly level: number; readonly service: string; readonly host: string }): readonly LineFile[] {
    const named = filesFor(this.#options.rules, facts);
    return named.length === 0 ? [this.#rest] : named.map((path) => this.#fileOf(path));
  }

  #fileOf(path: string | undefined): LineFile {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const file = new LineFile(path);
    this.#files.set(path, file);
    return file;
  }
}

/** Read from the text, which is cheaper than to carry it along; quotes within values are escaped, so a value can't look like it. */
export function serviceOf(line: string): string {
  const mark = ',"service":"';
  const at = line.indexOf(mark);
  return at === -1 ? noService : line.slice(at + mark.length, line.indexOf('"', at + mark.length));
}
