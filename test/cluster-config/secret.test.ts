/** Where secrets are read, and how an unreadable one is told. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSecret } from '../../cluster-config/secret.ts';

test('a secret is the first line of its file, or the value of its variable', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-secret-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  const file = join(folder, 'secret');
  await writeFile(file, ' with blanks \r\nsecond line\n');
  assert.equal(await readSecret({ file }, {}), ' with blanks ');
  assert.equal(await readSecret({ env: 'SECRET' }, { SECRET: 'value' }), 'value');
});

test('a missing or empty secret is an error that names the place', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-secret-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  const empty = join(folder, 'empty');
  await writeFile(empty, '\n');
  await assert.rejects(readSecret({ file: empty }, {}), new RegExp(`empty: ${empty}`));
  await assert.rejects(readSecret({ file: join(folder, 'none') }, {}), /can't be read: .*none/);
  await assert.rejects(readSecret({ env: 'SECRET' }, {}), /SECRET/);
});
