/** Finds the route of a request: a table of methods and path patterns. Pure. */
import { HttpRefusal } from '../../shared/http/refusals.ts';

/** Values of a pattern's `:names`. */
export class PathParameters {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  text(name: string): string {
    return this.#values.get(name) ?? '';
  }

  /** A positive whole number. @throws HttpRefusal('no-such-thing') for anything else */
  number(name: string): number {
    const text = this.text(name);
    const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
    if (value === 0) throw new HttpRefusal('no-such-thing', 'There is no such page.');
    return value;
  }
}

export interface RoutePattern {
  readonly method: 'GET' | 'POST';
  /** Such as `/api/mailboxes/:mailbox`. */
  readonly path: string;
}

/** The route for a method and path. @throws HttpRefusal when there is none, or only for other methods */
export function findRoute<Route extends RoutePattern>(routes: readonly Route[], method: string, path: string): { readonly route: Route; readonly parameters: PathParameters } {
  const matching = routes.flatMap((route) => {
    const values = match(route.path, path);
    return values === undefined ? [] : [{ route, parameters: new PathParameters(values) }];
  });
  const asked = method === 'HEAD' ? 'GET' : method; // answered alike, but for the body, which node:http keeps back (RFC 9110 section 9.3.2)
  const found = matching.find(({ route }) => route.method === asked);
  if (found !== undefined) return found;
  if (matching.length > 0) throw new HttpRefusal('method-not-allowed', 'This can not be done here.');
  throw new HttpRefusal('no-such-thing', 'There is no such page.');
}

function match(pattern: string, path: string): ReadonlyMap<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const values = new Map<string, string>();
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':')) values.set(part.slice(1), value);
    else if (part !== value) return undefined;
  }
  return values;
}
