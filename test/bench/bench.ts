/** `npm run bench -- NAME [arguments]`: runs one of the benches beside this file. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const [name = ''] = process.argv.splice(2, 1);
const names = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && file !== basename(import.meta.filename)).map((file) => basename(file, '.ts'));
if (names.includes(name)) await import(join(import.meta.dirname, `${name}.ts`));
else {
  process.stderr.write(`usage: npm run bench -- ${names.join('|')} [arguments]\n`);
  process.exitCode = 2;
}
