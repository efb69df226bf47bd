/** Base subjects as RFC 5256 section 2.1 has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseSubject } from '../../../shared/mime/base-subject.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import { readRealMail, realMailNames } from './real-mail.ts';

const cases: readonly (readonly [subject: string, base: string, of: 'reply-or-forward' | 'original'])[] = [
  ['', '', 'original'],
  ['hello', 'hello', 'original'],
  ['  hello \t  world  ', 'hello world', 'original'],
  ['Re: hello', 'hello', 'reply-or-forward'],
  ['re:re: FWD: fw:hello', 'hello', 'reply-or-forward'],
  ['Re [list]: hello', 'hello', 'reply-or-forward'],
  ['Re[2]: hello', 'hello', 'reply-or-forward'],
  ['Reply: hello', 'Reply: hello', 'original'],
  ['fwdd: hello', 'fwdd: hello', 'original'],
  ['[list] hello', 'hello', 'original'],
  ['[list] Re: [other] hello', 'hello', 'reply-or-forward'],
  ['[list]', '[list]', 'original'],
  ['[one] [two]', '[two]', 'original'],
  ['[one] [two]  ', '[two]', 'original'],
  ['Re: [one]', '[one]', 'reply-or-forward'],
  ['[not [closed', '[not [closed', 'original'],
  ['hello (fwd)', 'hello', 'reply-or-forward'],
  ['hello (FWD) (fwd) ', 'hello', 'reply-or-forward'],
  ['(fwd)', '', 'reply-or-forward'],
  ['Re:', '', 'reply-or-forward'],
  ['[Fwd: hello]', 'hello', 'reply-or-forward'],
  ['[fwd: Re: [list] [Fwd: hello (fwd)]]', 'hello', 'reply-or-forward'],
  ['[Fwd: hello] world', 'world', 'original'],
  ['[fwd: hello', '[fwd: hello', 'original'],
  ['=?utf-8?Q?Re=3A_Gr=C3=BC=C3=9Fe?=', 'Grüße', 'reply-or-forward'],
  ['=?utf-8?B?UmU6?= =?utf-8?Q?_hello?=', 'hello', 'reply-or-forward'],
  ['Re : hello', 'hello', 'reply-or-forward'],
  ['Aw: hello', 'Aw: hello', 'original'],
];

for (const [subject, base, of] of cases) {
  test(`the base of ${JSON.stringify(subject)} is ${JSON.stringify(base)}, of ${of}`, () => {
    assert.deepEqual(baseSubject(subject), { text: base, of });
  });
}

test('a base subject is its own base, of all real messages', () => {
  for (const name of realMailNames) {
    const { text } = baseSubject(scanMessage(readRealMail(name)).envelope.subject ?? '');
    if (!/=\?/.test(text)) assert.equal(baseSubject(Buffer.from(text, 'utf8').toString('latin1')).text, text, name);
  }
});

test('hostile subjects take linear time', { timeout: 5000 }, () => {
  for (const piece of ['[]', '[a] ', 're:', '[fwd:', 're [a]:', '[a]re:', '[', '(fwd)', '= ?']) baseSubject(piece.repeat(100_000));
  assert.equal(baseSubject(`${'[fwd:'.repeat(50_000)}x${']'.repeat(50_000)}`).text, 'x');
});
