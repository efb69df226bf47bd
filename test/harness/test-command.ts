/** What `npm test` can be told. */
import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import { developmentCommand } from '../../shared/bootstrap/development-command.ts';

export function testCommand(): Command {
  const command = developmentCommand('npm test --', 'Runs the tests: all but the long ones, or the files whose path has one of the words in it.')
    .argument('[words...]', 'of the paths of files, or options for the Node of each file, as --test-name-pattern=idle')
    .allowUnknownOption()
    .addHelpText('after', '\nWAYBILL_LONG_TESTS=1 in the environment lets the long ones run as well (….long.test.ts).');
  return command.action(() => {
    const options = command.args.filter((argument) => argument.startsWith('-'));
    const complaint = options.length === 0 ? undefined : complaintOfNode(options);
    if (complaint !== undefined) command.error(`error: ${complaint}`);
  });
}

/** Node would say it once for each file. */
function complaintOfNode(options: readonly string[]): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, [...options, '--version'], { encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim().replace(`${process.execPath}: `, '');
}
