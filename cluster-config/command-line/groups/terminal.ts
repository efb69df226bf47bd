/** What all groups of commands have in common: the configuration that is meant when none is named, and where words go. */
import { constants } from 'node:os';
import type { NodesText } from '../ask-nodes.ts';

export const defaultConfig = 'waybill-data/waybill.yaml';

/** Who reads has seen enough (`| head`): the command ends without a word and with the status that SIGPIPE gives others. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(128 + constants.signals.SIGPIPE);
}

export function print(text: string): void {
  if (!process.stdout.listeners('error').includes(endWithReader)) process.stdout.on('error', endWithReader);
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** What was done stands on standard output, who was not reached on standard error. */
export function tellAll({ text, complaints }: NodesText): void {
  if (text !== '') print(text);
  for (const complaint of complaints) process.stderr.write(`waybill: ${complaint}\n`);
  if (complaints.length > 0) process.exitCode = 1;
}
