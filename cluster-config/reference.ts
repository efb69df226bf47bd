/** The reference page of all parameters and the JSON Schema for editors, both made from the schema. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { restartPaths } from './publishing/restart-needs.ts';
import { documentSchema, frameSchema, parametersSchema } from './schema.ts';

/** What of a JSON Schema node the page uses. */
interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** What each entry of a map is. */
  readonly additionalProperties?: SchemaNode | boolean;
  readonly propertyNames?: SchemaNode;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** JSON Schema (draft 2020-12) of a whole document. */
export function jsonSchemaText(): string {
  const { $defs: parts = {}, ...schema } = z.toJSONSchema(documentSchema(), { io: 'input', unrepresentable: 'any', reused: 'ref' });
  const nameOf = namesByContent(parts);
  const sorted = Object.entries(parts).map(([number, part]) => [nameOf(number), part] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  const whole = { ...schema, $defs: Object.fromEntries(sorted), title: 'Waybill cluster configuration' };
  return `${JSON.stringify(whole, (key, value: unknown) => (key === '$ref' ? renamed(String(value), nameOf) : value), 2)}\n`;
}

const partPrefix = '#/$defs/';

function renamed(reference: string, nameOf: (number: string) => string): string {
  return reference.startsWith(partPrefix) ? partPrefix + nameOf(reference.slice(partPrefix.length)) : reference;
}

/** Parts that several places use are numbered by zod: a new parameter would give all those behind it other names. So each is called by what is in it. */
function namesByContent(parts: Readonly<Record<string, unknown>>): (number: string) => string {
  const names = new Map<string, string>();
  const nameOf = (number: string): string => {
    const known = names.get(number);
    if (known !== undefined) return known;
    const content = JSON.stringify(parts[number], (key, value: unknown) => (key === '$ref' ? renamed(String(value), nameOf) : value));
    const name = createHash('sha256').update(content).digest('hex').slice(0, 12);
    names.set(number, name);
    return name;
  };
  return nameOf;
}

/** The page `docs/parameters.md`. */
export function referencePage(): string {
  const root = z.toJSONSchema(parametersSchema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  const frame = z.toJSONSchema(frameSchema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  const frameRows = Object.entries(frame.properties ?? {}).map(([key, node]) => `| \`${key}\` | ${node.description ?? ''} |`);
  const plain = Object.entries(root.properties ?? {}).filter(([, node]) => !isGroup(node));
  const groups = Object.entries(root.properties ?? {}).filter(([, node]) => isGroup(node));
  return `# Parameters of a cluster configuration

This page is made from the schema by \`npm run waybill -- config reference\`; a test keeps it true.

A document has these parts. Every parameter below may stand in \`cluster\`, \`frontends\`, \`backends\` and at a single node; the
later wins. Maps are merged, lists are replaced whole. File names count from the folder of the document; a secret is given
as \`{file: NAME}\` or \`{env: NAME}\`.

| part | meaning |
|---|---|
${frameRows.join('\n')}
| \`cluster.name\` | The name of the cluster; it stands in the certificates of its nodes. |
| \`nodes.NAME.role\` | \`frontend\` or \`backend\`. |
| \`nodes.NAME.host\` | The name or address under which the other nodes reach it. |

## What needs a restart

A running node puts every change to use by itself, for sessions that begin afterwards. These parameters wait for \`waybill node restart NODE\`; until then
the node keeps the values that it started with, and \`waybill config status\` says so: ${[...restartPaths, 'cluster.name'].map((path) => `\`${path}\``).join(', ')}.

## Generic

${table(plain.flatMap(([key, node]) => rows(key, node, root)))}
${groups.flatMap(([key, node]) => sections(key, node)).join('\n')}`;
}

/** A group gets a section of its own: a map of parameters, or a list of such maps. */
function isGroup(node: SchemaNode): boolean {
  return node.properties !== undefined || node.items?.properties !== undefined || node.items?.oneOf !== undefined;
}

/** One section for a group; one for each of its groups where all its members are groups (`services`). */
function sections(key: string, node: SchemaNode): readonly string[] {
  const members = Object.entries(node.properties ?? {});
  if (members.length > 0 && members.every(([, member]) => member.properties !== undefined)) {
    return members.flatMap(([name, member]) => sections(`${key}.${name}`, member));
  }
  const ofGroup = node.properties === undefined ? listRows(key, node) : members.flatMap(([name, member]) => rows(`${key}.${name}`, member, node));
  return [`\n## ${key}\n\n${node.description ?? ''}\n\n${table(ofGroup)}`];
}

function table(lines: readonly string[]): string {
  return `| parameter | type | default | meaning |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** The row of a parameter and those of what it is made of. */
function rows(path: string, node: SchemaNode, parent: SchemaNode): readonly string[] {
  const name = path.split('.').at(-1) ?? '';
  const own = `| \`${path}\` | ${typeText(node)} | ${defaultText(node, parent.required?.includes(name) === true)} | ${node.description ?? ''} |`;
  const isSecret = node.anyOf !== undefined;
  if (node.properties !== undefined) return [own, ...memberRows(path, node)];
  return isSecret ? [own] : [own, ...listRows(path, node), ...mapRows(path, node)];
}

function memberRows(path: string, node: SchemaNode): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, member]) => rows(`${path}.${key}`, member, node));
}

/** Of maps whose entries have parameters of their own. Keys are one of a list, or else domains. */
function mapRows(path: string, { additionalProperties: entry, propertyNames: keys }: SchemaNode): readonly string[] {
  return typeof entry === 'object' ? memberRows(`${path}.${keys?.enum === undefined ? 'DOMAIN' : 'NAME'}`, entry) : [];
}

function listRows(path: string, node: SchemaNode): readonly string[] {
  const shapes = node.items?.oneOf ?? (node.items === undefined ? [] : [node.items]);
  return shapes.flatMap((shape) => {
    const fixed = Object.values(shape.properties ?? {}).find((member) => member.const !== undefined);
    const label = fixed === undefined ? `${path}[]` : `${path}[type: ${String(fixed.const)}]`;
    return memberRows(label, shape);
  });
}

function typeText(node: SchemaNode): string {
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.anyOf !== undefined) return 'secret';
  if (node.type === 'integer') return `whole number, ${node.minimum ?? ''} to ${node.maximum ?? ''}`;
  if (node.type === 'boolean') return '`true`, `false`';
  if (node.type === 'array') return node.items?.type === 'string' ? 'list of texts' : 'list';
  return node.type === 'object' ? 'map' : 'text';
}

function defaultText(node: SchemaNode, required: boolean): string {
  if (required) return 'must be given';
  if (node.default === undefined || node.type === 'object') return '';
  return `\`${JSON.stringify(node.default)}\``;
}
