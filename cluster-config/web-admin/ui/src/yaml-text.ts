/** Values as YAML for reading. */

export function yamlText(value: unknown, indent = ''): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : listText(value, indent);
  if (typeof value !== 'object' || value === null) return scalarText(value);
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  if (entries.length === 0) return '{}';
  return entries.map(([name, child]) => `${indent}${name}:${isNested(child) ? `\n${yamlText(child, `${indent}  `)}` : ` ${yamlText(child)}`}`).join('\n');
}

function listText(list: readonly unknown[], indent: string): string {
  if (list.every((each) => !isNested(each))) return `[${list.map((each) => yamlText(each)).join(', ')}]`;
  return list.map((each) => `${indent}- ${yamlText(each, `${indent}  `).trimStart()}`).join('\n');
}

/** Whether it takes lines of its own. */
function isNested(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isNested);
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function scalarText(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  return /^[\p{L}\p{N}/][\p{L}\p{N} ._/@-]*$/u.test(value) && !/^(true|false|null|yes|no|[\d.]+)$/i.test(value) && !value.endsWith(' ') ? value : JSON.stringify(value);
}
