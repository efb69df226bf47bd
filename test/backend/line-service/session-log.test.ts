/** What is known of a session stands in each of its lines, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionLog } from '../../../backend/line-service/session-log.ts';
import { logTo } from '../../../shared/log/log.ts';

test('lines tell what is known of the session when they are written; what is learned anew stands once, and what was written stays', () => {
  const lines: string[] = [];
  const service = logTo({ level: 'informational', write: (line) => lines.push(line) }, 'be1').child({ service: 'pop3' });
  const session = new SessionLog(service, { session: 'a', client: '192.0.2.1', frontend: 'fe1' });
  session.log.info('begins');
  session.learn({ session: 'b', client: '192.0.2.2' });
  session.learn({ account: 'alice@example.com' });
  session.log.info({ messages: 3 }, 'logged in');
  service.info('of nobody');
  const told = lines.map((line) => /"service":.*(?=\}\n)/.exec(line)?.[0]);
  assert.deepEqual(told, [
    '"service":"pop3","session":"a","client":"192.0.2.1","frontend":"fe1","msg":"begins"',
    '"service":"pop3","session":"b","client":"192.0.2.2","frontend":"fe1","account":"alice@example.com","messages":3,"msg":"logged in"',
    '"service":"pop3","msg":"of nobody"',
  ]);
});
