/** What `npm run torture` can be told. */
import type { Command } from 'commander';
import { developmentCommand, wholeNumber } from '../../shared/bootstrap/development-command.ts';

export interface TortureOrder {
  readonly kind: 'storages' | 'move' | 'imap' | 'soak';
  readonly rounds?: number;
  readonly seed?: number;
  readonly sessions?: number;
}

type Options = Pick<TortureOrder, 'rounds' | 'seed'>;

const kinds = [
  { kind: 'move', text: 'Accounts move in use while nodes, workers and the command are killed; see docs/account-move.md.' },
  { kind: 'imap', text: 'Sessions of two workers act on one account; a model predicts every response.' },
] as const;

/** @param words what was typed; ends the process where that can't be followed */
export function tortureOrder(words: readonly string[]): TortureOrder {
  let order: TortureOrder = { kind: 'storages' };
  tortureCommand((wanted) => { order = wanted; }).parse([...words], { from: 'user' });
  return order;
}

/** @param obey hears what is wanted */
export function tortureCommand(obey: (order: TortureOrder) => void): Command {
  const program = developmentCommand('npm run torture --', 'Storages and queues are killed, filled and cut off at every step, compacted and repaired, against a ledger; see docs/durability.md. The same seed gives the same workers and steps.')
    .enablePositionalOptions()
    .helpCommand(false);
  const inRounds = (command: Command, kind: 'storages' | 'move' | 'imap'): void => {
    command
      .option('--rounds <number>', 'as many rounds; 300 when not given', wholeNumber(1))
      .option('--seed <number>', 'of what is drawn by lot; another one each time when not given', wholeNumber(0))
      .action((options: Options) => obey({ kind, ...options }));
  };
  inRounds(program, 'storages');
  for (const { kind, text } of kinds) inRounds(likeProgram(program, { name: kind, text }), kind);
  likeProgram(program, { name: 'soak', text: 'Idle sessions at one front-end while configuration, certificate and workers change: none ends that need not.' })
    .argument('[sessions]', '10,000 when not given', wholeNumber(1))
    .action((sessions: number | undefined) => obey({ kind: 'soak', ...(sessions === undefined ? {} : { sessions }) }));
  return program;
}

/** A command below it that complains as it does. */
function likeProgram(program: Command, { name, text }: { readonly name: string; readonly text: string }): Command {
  return program.command(name).description(text).helpOption('-h, --help', 'show this').copyInheritedSettings(program);
}
