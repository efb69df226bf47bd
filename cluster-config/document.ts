/** Reads YAML text into plain values and remembers where each stands, so that problems can name line and column. */
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { Problem } from './problem.ts';

/** Aliases a document may expand to; more is taken for an attack on memory. */
const maxAliasCount = 100;
/** Longest document in characters. */
const maxLength = 4_194_304;

export interface ParsedDocument {
  readonly value: unknown;
  /** The same problem with the line and column of its path; of the key itself where `at` says so. */
  locate(problem: Problem, at: 'key' | 'value'): Problem;
}

/** Parses YAML 1.2 (core schema, no repeated keys). Returns the problems when it is not well-formed. */
export function parseYaml(text: string): ParsedDocument | readonly Problem[] {
  if (text.length > maxLength) return [{ path: [], text: `is longer than ${maxLength} characters` }];
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, prettyErrors: false, lineCounter: lines });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return faults.map((fault) => {
      const { line, col } = lines.linePos(fault.pos[0]);
      return { path: [], text: fault.message, line, column: col };
    });
  }
  const locate = (problem: Problem, at: 'key' | 'value'): Problem => {
    const offset = offsetOf(document, problem.path, at);
    if (offset === undefined) return problem;
    const { line, col } = lines.linePos(offset);
    return { ...problem, line, column: col };
  };
  try {
    return { value: document.toJS({ maxAliasCount }), locate };
  } catch (error) {
    return [{ path: [], text: error instanceof Error ? error.message : String(error) }];
  }
}

/** Where the deepest existing part of the path begins. */
function offsetOf(document: Document, path: readonly PropertyKey[], at: 'key' | 'value'): number | undefined {
  let node: unknown = document.contents;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const [index, step] of path.entries()) {
    const found = stepInto(document, node, step);
    if (found === undefined) break;
    const wanted = index === path.length - 1 && at === 'value' && isNode(found.value) ? found.value : found.key;
    offset = (isNode(wanted) ? wanted.range?.[0] : undefined) ?? offset;
    node = found.value;
  }
  return offset;
}

function stepInto(document: Document, node: unknown, step: PropertyKey): { readonly key: unknown; readonly value: unknown } | undefined {
  const container = isNode(node) && 'resolve' in node && typeof node.resolve === 'function' ? node.resolve(document) as unknown : node;
  if (isMap(container)) {
    return container.items.find((pair) => String(isScalar(pair.key) ? pair.key.value : pair.key) === String(step));
  }
  if (isSeq(container) && typeof step === 'number') {
    const item = container.items[step];
    return item === undefined ? undefined : { key: item, value: item };
  }
  return undefined;
}
