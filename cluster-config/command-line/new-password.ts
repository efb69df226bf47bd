/** Reads a new password: asked twice on a terminal, which doesn't show it; or the first line of standard input. */
import { text } from 'node:stream/consumers';
import { UsageError } from './usage-error.ts';

/** @throws UsageError when there is none, or the two differ */
export async function readNewPassword(from: 'terminal' | 'standard input', address: string): Promise<string> {
  if (from === 'standard input') {
    const [line = ''] = (await text(process.stdin)).split(/\r?\n/);
    if (line === '') throw new UsageError('a password is needed: the first line of standard input');
    return line;
  }
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal to ask on; give the password by standard input, with --stdin');
  const [password = '', again] = await askHidden([`New password for ${address}: `, 'Once more: ']);
  if (password === '') throw new UsageError('a password must not be empty; nothing was changed');
  if (again !== password) throw new UsageError('the two are not the same; nothing was changed');
  return password;
}

/** One line that the terminal does not show. @throws UsageError where there is no terminal, with what to do `instead` */
export async function readHidden(question: string, instead: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError(`there is no terminal to ask on; ${instead}`);
  const [answer = ''] = await askHidden([question]);
  return answer;
}

const [enter, newLine, backspace, deleteKey, endOfInput, interrupt] = ['\r', '\n', '\b', '\x7f', '\x04', '\x03'];

/** One line for each question, none of them shown, not even what is typed between two. @throws UsageError after Ctrl-C */
async function askHidden(questions: readonly string[]): Promise<readonly string[]> {
  const { stdin } = process;
  stdin.setRawMode(true); // before anything is asked: what is typed at once must not be shown either
  stdin.setEncoding('utf8');
  const keys = (stdin as AsyncIterable<string>)[Symbol.asyncIterator]();
  let pending: readonly string[] = [];
  const nextKey = async (): Promise<string> => {
    while (pending.length === 0) {
      const piece = await keys.next();
      pending = piece.done === true ? [endOfInput ?? ''] : [...piece.value];
    }
    const [key = '', ...rest] = pending;
    pending = rest;
    return key;
  };
  try {
    const answers: string[] = [];
    for (const question of questions) {
      process.stderr.write(question);
      answers.push(await readLine(nextKey));
      process.stderr.write('\n');
    }
    return answers;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

async function readLine(nextKey: () => Promise<string>): Promise<string> {
  let typed: readonly string[] = [];
  for (;;) {
    const key = await nextKey();
    if (key === enter || key === newLine || key === endOfInput) return typed.join('');
    if (key === interrupt) throw new UsageError('stopped; nothing was changed');
    if (key === backspace || key === deleteKey) typed = typed.slice(0, -1);
    else if (key >= ' ') typed = [...typed, key];
  }
}
