/** What the benches of one purpose can be told. */
import type { Command } from 'commander';
import { developmentCommand, wholeNumber } from '../../../shared/bootstrap/development-command.ts';

export function textIndexCommand(): Command {
  return developmentCommand('npm run bench -- text-index', 'Searches of text without the index and with it, how fast and large it is, what it costs deliveries; see docs/text-search.md.')
    .argument('[messages]', 'in the mailbox; 100,000 when not given', wholeNumber(50))
    .argument('[seed]', 'of the messages', wholeNumber(0));
}

export function accountMoveCommand(): Command {
  const amounts = (text: string, before: readonly number[] | undefined): readonly number[] => [...(before ?? []), wholeNumber(1)(text)];
  return developmentCommand('npm run bench -- account-move', 'An account moves to and fro between two nodes while clients use it: what they wait, and how fast its mail is copied.')
    .argument('[messages...]', 'in the account, one measurement for each number; 200, 5000 and 50000 when none is given', amounts);
}

export function bigMailboxCommand(): Command {
  return developmentCommand('npm run bench -- imap-big-mailbox', 'How long what clients do with a big mailbox takes, over TLS, at a server in this process.')
    .argument('[messages]', 'in the mailbox; 100,000 when not given', wholeNumber(5000));
}

/** For `storage-appends` and `storage-layout`. */
export function figuresCommand(name: string, description: string): Command {
  return developmentCommand(`npm run bench -- ${name}`, description).option('--json', 'print JSON instead of a table');
}
