/** What a client is told of a failure that passes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replyFor as byImap } from '../../../frontend/imap-proxy/replies.ts';
import { replyFor as byPop3 } from '../../../frontend/pop3-proxy/replies.ts';
import { Failure } from '../../../shared/base/failure.ts';

test('that trying again may help is said once, in the session\'s language', () => {
  const [advising, silent] = [new Failure('directory-unavailable', 'The directory can\'t be reached. Try again later.'), new Failure('backend-unavailable', 'no answer')];
  assert.deepEqual([byImap(advising, 's'), byImap(silent, 's')], ['NO [UNAVAILABLE] The directory can\'t be reached. Try again later.', 'NO [UNAVAILABLE] no answer; try again later']);
  assert.deepEqual([byPop3(advising, 's'), byPop3(silent, 's')], ['-ERR [SYS/TEMP] The directory can\'t be reached. Try again later.', '-ERR [SYS/TEMP] no answer; try again later']);
  assert.equal(byPop3(advising, 's', 'de'), '-ERR [SYS/TEMP] das Verzeichnis antwortet nicht; bitte später noch einmal');
  assert.equal(byImap(new Failure('bad-credentials', 'Wrong user name or password.'), 's'), 'NO [AUTHENTICATIONFAILED] Wrong user name or password.');
});
