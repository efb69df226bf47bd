/** SORT and UID SORT (RFC 5256), with what RETURN asks for (ESORT, RFC 5267 section 3). */
import { parseSort } from '../../shared/imap/search-arguments.ts';
import { mailboxCommand } from './command.ts';
import type { Command } from './command.ts';
import { answerSearch } from './search-answer.ts';
import { searchTells } from './search-run.ts';
import type { Numbers } from './view.ts';

export const sort = define('SORT', 'sequence');
export const uidSort = define('UID SORT', 'uid');

function define(verb: string, numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: ({ key }) => searchTells(key, numbers),
    parse: parseSort,
    run: async (selected, given) => answerSearch(selected, given, { verb: 'SORT', numbers, criteria: given.criteria }),
  });
}
