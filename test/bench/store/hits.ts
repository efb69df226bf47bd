/** The same question must have the same answer everywhere, or the rates compare different work. */
import type { MailStore } from './mail-store.ts';

const answers = new Map<string, { readonly store: string; readonly answer: string }>();

/** Throws when another store answered that question otherwise. */
export function compareAnswer(question: string, store: MailStore, answer: string): void {
  const known = answers.get(question);
  if (known === undefined) answers.set(question, { store: store.name, answer });
  else if (known.answer !== answer) throw new Error(`${store.name} answers otherwise than ${known.store}: ${answer.slice(0, 100)} instead of ${known.answer.slice(0, 100)}`);
}
