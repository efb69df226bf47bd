/** Every file of docs/examples stands in its index and passes the checks of `waybill config check`, as it stands there. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../../cluster-config/load.ts';
import { examplesFolder } from '../../harness/example-cluster.ts';

const files = readdirSync(examplesFolder).filter((name) => name.endsWith('.yaml'));

test('there are examples', () => {
  assert.ok(files.length > 0);
});

for (const file of files) {
  test(`${file} is good as it stands, and in the index`, () => {
    const { nodes } = parseConfig(readFileSync(join(examplesFolder, file), 'utf8'), `/etc/waybill/${file}`);
    assert.ok(Object.keys(nodes).length > 0);
    assert.ok(readFileSync(join(examplesFolder, 'README.md'), 'utf8').includes(`](${file})`));
  });
}
