/** What NOTIFY (RFC 5465) asks of another node on one leg, and what that tells of names meanwhile. */
import { withoutWaiting } from '../../shared/imap/relayed-text.ts';
import type { AwayNames } from './away-names.ts';
import type { Wishes } from './away-watch.ts';
import type { Leg } from './leg.ts';
import { isNotified } from './notified-names.ts';
import type { Session } from './session.ts';

export class LegWishes {
  /** Undefined as long as nothing was said there. */
  #groups: string | undefined;
  #names: AwayNames | undefined;

  /** Whether the node says unasked what happens there. */
  get areKnown(): boolean {
    return this.#groups !== undefined;
  }

  /** Whether a response is meant for us, not for the client: then it is noted. */
  takes(line: string): boolean {
    if (!isNotified(line)) return false;
    this.#names?.note(line);
    return true;
  }

  /**
   * Asks, as the client said it, and tells what became different of names since another leg said so, before the state of their messages.
   * A node of an older version refuses. @throws Failure('backend-unavailable')
   */
  async ask(leg: Leg, session: Session, { wishes: { groups, status }, names }: { readonly wishes: Wishes; readonly names: AwayNames }): Promise<'granted' | 'refused'> {
    this.#names = names;
    const question = `${session.names} ${groups}`;
    const isNew = (groups !== this.#groups || names.isForgotten) && (status === 'known' || names.answers(question));
    for (const words of [...(isNew ? [''] : []), ...(status === 'wanted' ? ['STATUS '] : [])]) {
      const listed: string[] = [];
      const { status: answer } = await leg.ask(withoutWaiting(groups === 'NONE' ? 'NOTIFY NONE' : `NOTIFY SET ${words}${groups}`), (line) => {
        if (!isNotified(line)) return 'pass on';
        listed.push(line);
        return 'taken';
      });
      this.#groups = answer === 'OK' ? groups : undefined;
      if (answer !== 'OK') return 'refused';
      if (leg.saysNotified === 'yes' || listed.length > 0) await session.legs.tellNames(names.compare(question, listed));
      else names.keep(); // not all are gone: the node has an earlier version, or had one put back
    }
    return 'granted';
  }
}
