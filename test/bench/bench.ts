/** `npm run bench -- NAME [arguments]`: runs one of the benches beside this file. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Argument } from 'commander';
import { developmentCommand } from '../../shared/bootstrap/development-command.ts';

const names = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && file !== basename(import.meta.filename)).map((file) => basename(file, '.ts'));
await developmentCommand('npm run bench --', 'Measures; `npm run bench -- store --help` says what a bench can be told.')
  .addArgument(new Argument('<name>', 'which bench').choices(names))
  .argument('[arguments...]', 'its own')
  .passThroughOptions()
  .action(async (name: string) => {
    process.argv.splice(2, 1);
    await import(join(import.meta.dirname, `${name}.ts`));
  })
  .parseAsync();
