/** The parser over smtp-server's: whatever a message holds and however it is cut, it is one message, and commands stay commands. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { defaultSmtpLimits } from '../../../shared/smtp/limits.ts';
import { MessageInlet } from '../../../shared/smtp/message-inlet.ts';
import { StrictParser } from '../../../shared/smtp/strict-parser.ts';

interface Seen {
  readonly commands: string[];
  readonly messages: string[];
  readonly defects: (string | undefined)[];
  readonly refusals: string[];
}

/** Feeds the pieces; DATA is always accepted. */
async function parse(pieces: readonly Buffer[]): Promise<Seen> {
  const seen: Seen = { commands: [], messages: [], defects: [], refusals: [] };
  const parser = new StrictParser(defaultSmtpLimits, (defect) => {
    seen.refusals.push(defect);
    parser.isClosed = true;
  });
  parser.oncommand = (command, callback) => {
    seen.commands.push(command.toString());
    if (command.toString() === 'DATA') {
      const inlet = new MessageInlet(Infinity);
      parser.beginMessage(inlet);
      const read = textOf(inlet).catch(() => 'refused');
      parser.takeText((goOn) => void read.then((text) => {
        seen.messages.push(text);
        seen.defects.push(inlet.defect);
        goOn();
      }));
    }
    callback?.();
  };
  for (const piece of pieces) await new Promise<void>((resolve) => parser.write(piece, () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
  return seen;
}

async function textOf(inlet: MessageInlet): Promise<string> {
  let text = '';
  for await (const piece of inlet) text += piece.toString();
  return text;
}

function cut(text: string, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) => Buffer.from(text.slice(index * size, (index + 1) * size)));
}

test('one message stays one message, and its defects are found', async () => {
  const tokens = fc.array(fc.constantFrom('.', '..', '\r', '\n', '\r\n', '\0', 'a', 'RSET\r\n', '\r\n.', '\n.\n', '\r\n.\n', '\n.\r\n', '\r.\r'), { maxLength: 12 });
  await fc.assert(fc.asyncProperty(tokens, fc.integer({ min: 1, max: 9 }), async (parts, size) => {
    const body = parts.join('');
    // A true end inside would be an end, rightly.
    fc.pre(!`\r\n${body}\r\n`.includes('\r\n.\r\n'));
    const seen = await parse(cut(`DATA\r\n${body}\r\n.\r\nNOOP\r\n`, size));
    assert.deepEqual(seen.commands, ['DATA', 'NOOP']);
    assert.equal(seen.messages.length, 1);
    const clean = !/\r(?!\n)|(?<!\r)\n|\0/.test(`${body}\r\n`);
    assert.equal(seen.defects[0] === undefined, clean);
    if (clean) assert.equal(seen.messages[0], `\r\n${body}\r\n`.replaceAll('\r\n.', '\r\n').slice(2));
  }), { numRuns: 500 });
});

test('a command line with a defect ends the parsing, whatever follows', async () => {
  const bad = fc.constantFrom('NOOP\n', 'NO\rOP\r\n', 'NO\0OP\r\n', `${'x'.repeat(12_289)}`);
  await fc.assert(fc.asyncProperty(bad, fc.integer({ min: 1, max: 5000 }), async (line, size) => {
    const seen = await parse(cut(`EHLO a\r\n${line}MAIL FROM:<a@b>\r\n`, line.length > 100 ? size + 1000 : size));
    assert.deepEqual(seen.commands, ['EHLO a']);
    assert.equal(seen.refusals.length, 1);
  }), { numRuns: 200 });
});
