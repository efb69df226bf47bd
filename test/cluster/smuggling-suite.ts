/** SMTP smuggling: whatever stands in a message instead of a proper end, it never makes a second message out of one. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import { withWitness } from './bad-input-suite.ts';
import type { Place } from './bad-input-suite.ts';

const falseEnds: Readonly<Record<string, string>> = {
  'LF . LF': '\n.\n', 'LF . CRLF': '\n.\r\n', 'CRLF . LF': '\r\n.\n', 'CR . CR': '\r.\r', 'CR . CRLF': '\r.\r\n', 'CRLF . CR': '\r\n.\r',
  'CRLF . CRCRLF': '\r\n.\r\r\n', 'LFCR . CRLF': '\n\r.\r\n', 'CRLF NUL . CRLF': '\r\n\0.\r\n', 'CRLF . NUL CRLF': '\r\n.\0\r\n', 'CRLF .. LF': '\r\n..\n',
};

export function smugglingSuite(place: Place): void {
  const { cluster, node } = place;
  describe(`SMTP smuggling at ${node}`, () => {
    for (const [name, end] of Object.entries(falseEnds)) {
      test(`a message with ${name} is refused, and the one smuggled in it does not exist`, async () => withWitness(place, async () => {
        const [outer, inner] = [newMessage(), newMessage({ from: 'smuggler@example.net' })];
        const session = await SmtpSession.connect(cluster(), node);
        for (const line of ['MAIL FROM:<sender@example.net>', 'RCPT TO:<alice@example.com>']) assert.match(await session.say(line), /^250 /);
        assert.match(await session.say('DATA'), /^354 /);
        const smuggled = `MAIL FROM:<smuggler@example.net>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n${inner.bytes.toString()}.\r\n`;
        session.dialogue.sayRaw(`${outer.bytes.toString().trimEnd()}${end}${smuggled}`);
        await session.dialogue.reply(/^550 5\.6\.0 .*(bare <(LF|CR)>|NUL)/);
        assert.match(await session.say('NOOP'), /^250 /);
        await session.quit();
        const imap = await ImapSession.logIn(cluster(), { node, user: 'alice' });
        assert.deepEqual([await imap.find(outer.subject), await imap.find(inner.subject)], [[], []]);
        imap.close();
      }));
    }
  });
}
