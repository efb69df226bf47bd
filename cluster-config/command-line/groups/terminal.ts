/** What all groups of commands have in common: the configuration that is meant when none is named, and where words go. */
import type { NodesText } from '../ask-nodes.ts';

export const defaultConfig = 'waybill-data/waybill.yaml';

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** What was done stands on standard output, who was not reached on standard error. */
export function tellAll({ text, complaints }: NodesText): void {
  if (text !== '') print(text);
  for (const complaint of complaints) process.stderr.write(`waybill: ${complaint}\n`);
  if (complaints.length > 0) process.exitCode = 1;
}
