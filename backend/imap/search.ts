/** SEARCH and UID SEARCH (RFC 9051 section 6.4.4, RFC 4731, RFC 5182, RFC 7162 section 3.1.5, RFC 9394). */
import { parseSearch } from '../../shared/imap/search-arguments.ts';
import { mailboxCommand } from './command.ts';
import type { Command } from './command.ts';
import { answerSearch } from './search-answer.ts';
import { searchTells } from './search-run.ts';
import type { Numbers } from './view.ts';

export const search = define('SEARCH', 'sequence');
export const uidSearch = define('UID SEARCH', 'uid');

function define(verb: string, numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: ({ key }) => searchTells(key, numbers),
    parse: parseSearch,
    run: async (selected, given) => answerSearch(selected, given, { verb: 'SEARCH', numbers, criteria: undefined }),
  });
}
