/** The second net of the log: fields that bear the names of secrets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logTo } from '../../../shared/log/log.ts';

/** The lines that `work` writes. */
function linesOf(work: (log: ReturnType<typeof logTo>) => void): string[] {
  const lines: string[] = [];
  work(logTo({ level: 'informational', write: (line) => lines.push(line) }, 'be1'));
  return lines;
}

test('a field named like a secret is hidden at any depth, of a session and of an error too; the line stays as it is otherwise', () => {
  const error = Object.assign(new Error('no way'), { credentials: { name: 'alice', password: 'tiger' } });
  const [first, ofError, ofSession] = linesOf((log) => {
    log.info({ session: 'abc', password: 'tiger', deep: { one: [{ credentials: 'tiger', two: 2 }] } }, 'first');
    log.error({ err: error }, 'second');
    log.child({ service: 'imap', login: { password: 'tiger' } }).warn('third');
  });
  const { session, password, deep, msg, host } = JSON.parse(first ?? '') as Record<string, unknown>;
  assert.deepEqual({ session, password, deep, msg, host }, { session: 'abc', password: '[hidden]', deep: { one: [{ credentials: '[hidden]', two: 2 }] }, msg: 'first', host: 'be1' });
  for (const line of [first, ofError, ofSession]) {
    assert.doesNotMatch(line ?? '', /tiger/);
    assert.match(line ?? '', /\[hidden\].*\}\n$/s);
  }
  assert.match(ofError ?? '', /"stack":"Error: no way/);
  assert.match(ofSession ?? '', /,"service":"imap"/);
});

test('what only looks like such a field within a text is left alone', () => {
  const [line] = linesOf((log) => log.info({ sender: '"password":"x"@example.com', passwords: 3 }, 'said "credentials":'));
  const { sender, passwords, msg } = JSON.parse(line ?? '') as Record<string, unknown>;
  assert.deepEqual({ sender, passwords, msg }, { sender: '"password":"x"@example.com', passwords: 3, msg: 'said "credentials":' });
  assert.match(line ?? '', /,"passwords":3,/);
});
