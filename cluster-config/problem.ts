/** What is wrong with a configuration: where (path, line, column) and why, in words that help to mend it. */

export interface Problem {
  /** The place in the document: `nodes`, `be1`, `services`, `imap` … */
  readonly path: readonly PropertyKey[];
  readonly text: string;
  /** From 1; absent when the document could not be taken apart so far. */
  readonly line?: number;
  readonly column?: number;
}

/** A configuration that was refused, with all its problems. */
export class ConfigurationRefused extends Error {
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[]) {
    super(problems.map((problem) => describeProblem(source, problem)).join('\n'));
    this.name = 'ConfigurationRefused';
    this.problems = problems;
  }
}

function describeProblem(source: string, problem: Problem): string {
  const place = problem.line === undefined ? source : `${source}:${problem.line}:${problem.column ?? 1}`;
  const path = pathText(problem.path);
  return path === '' ? `${place}: ${problem.text}` : `${place}: ${path}: ${problem.text}`;
}

/** `nodes.be1.services.imap.listeners[0].address`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`)).join('');
}

/** The known word that is nearest to the given one, by the number of changed letters; undefined when there is none. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }));
  return ranked.sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Levenshtein's distance; a prefix counts as near (`idleTimeout` for `idleTimeoutSeconds`). */
function distance(one: string, other: string): number {
  if (other.startsWith(one) || one.startsWith(other)) return 1;
  let row = Array.from({ length: other.length + 1 }, (_unused, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, otherLetter] of [...other].entries()) {
      next.push(Math.min((next[column] ?? 0) + 1, (row[column + 1] ?? 0) + 1, (row[column] ?? 0) + (letter === otherLetter ? 0 : 1)));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
