/** Texts that one server passes on to another: the other must read the same command as the one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCommand } from '../../../shared/imap/command-reader.ts';
import type { ByteSource } from '../../../shared/imap/command-reader.ts';
import { withoutWaiting } from '../../../shared/imap/relayed-text.ts';

/** Bytes that are all there, and what is left of them. */
function sourceOf(text: string): ByteSource & { readonly rest: () => string } {
  let rest = text;
  const take = (length: number): string => {
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
  return {
    rest: () => rest,
    readLine: async () => {
      const end = rest.indexOf('\r\n');
      return Promise.resolve(end < 0 ? undefined : take(end + 2).slice(0, -2));
    },
    readBytes: async (length) => Promise.resolve(Buffer.from(take(length), 'latin1')),
    readStream: () => {
      throw new Error('nothing is too long');
    },
  };
}

async function read(text: string): Promise<{ readonly text: string; readonly invited: number; readonly rest: string }> {
  const source = sourceOf(text);
  let invited = 0;
  const command = await readCommand(source, {
    maxBytes: 1e6, maxDiscardedBytes: 1e6, takesOver: () => false,
    invite: async () => {
      invited += 1;
      return Promise.resolve();
    },
  });
  assert.ok(command.kind === 'command');
  return { text: command.text, invited, rest: source.rest() };
}

test('However a literal is announced and whatever it holds, the other server reads it as this one did, and nothing behind it', async () => {
  const literal = fc.array(fc.constantFrom('{1}\r\n', '{1+}', '\r\n', 'b LOGOUT', 'x'), { maxLength: 12 }).map((pieces) => pieces.join(''));
  const announced = fc.tuple(literal, fc.nat({ max: 20 }), fc.constantFrom('', '+')).map(([bytes, zeros, plus]) => `{${'0'.repeat(zeros)}${String(bytes.length)}${plus}}\r\n${bytes}`);
  await fc.assert(fc.asyncProperty(fc.array(announced, { minLength: 1, maxLength: 3 }), async (literals) => {
    const here = await read(`a SELECT ${literals.join(' ')}\r\n`);
    const there = await read(`${withoutWaiting(here.text)}\r\n`);
    const plain = (text: string): string => text.replace(/\{0*(\d+)\+?\}\r\n/g, '{$1}\r\n');
    assert.deepEqual([plain(there.text), there.invited, there.rest], [plain(here.text), 0, '']);
  }));
});
