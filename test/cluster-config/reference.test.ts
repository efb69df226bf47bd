/** The pages made from the schema are those in docs/. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { jsonSchemaText, referencePage } from '../../cluster-config/reference.ts';
import { parametersSchema } from '../../cluster-config/schema.ts';
import { parameterPaths } from '../../cluster-config/schema-walk.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');

test('docs/parameters.md is what the schema says (npm run waybill -- config reference > docs/parameters.md)', async () => {
  assert.equal(await readFile(join(docs, 'parameters.md'), 'utf8'), referencePage());
});

test('docs/waybill.schema.json is what the schema says (… config reference --json-schema > docs/waybill.schema.json)', async () => {
  assert.equal(await readFile(join(docs, 'waybill.schema.json'), 'utf8'), jsonSchemaText());
});

test('every parameter has its row and a meaning', () => {
  const lines = referencePage().split('\n');
  const paths = parameterPaths(parametersSchema).filter((path) => !['services', 'storage', 'routing', 'log', 'tls', 'dnr'].includes(path) && !/^services\.\w+$/.test(path));
  assert.ok(paths.length > 80);
  for (const path of paths) {
    const row = lines.find((line) => line.startsWith(`| \`${path}\` |`) || line === `## ${path}`);
    assert.ok(row !== undefined, `${path} is on the page`);
    assert.doesNotMatch(row, /\|\s+\|$/, `${path} has a meaning`);
  }
});

test('what may stand in an entry of a map has its row, too', () => {
  for (const path of ['domainSettings.DOMAIN.quota.maxMessages', 'domainSettings.DOMAIN.services', 'log.services.NAME.level']) assert.match(referencePage(), new RegExp(`^\\| \`${path.replaceAll('.', '\\.')}\` \\|`, 'm'));
});
