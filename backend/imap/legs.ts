/** The legs of one session: at most a few, one for each owner whose folders are on another node, kept for the next command there. */
import { Leg } from './leg.ts';
import type { AwayPlace } from './place.ts';
import type { Session } from './session.ts';

const mostLegs = 4;

export class Legs {
  readonly #session: Session;
  /** By owner, the one that was used last at the end. */
  readonly #open = new Map<string, Leg>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** @throws Failure */
  async to(place: AwayPlace): Promise<Leg> {
    const known = this.#open.get(place.owner);
    this.#open.delete(place.owner);
    if (known?.isOpen !== true) known?.close();
    const leg = this.#keep(known?.isOpen === true ? known : await Leg.open(this.#session, place));
    await leg.keepUp();
    return leg;
  }

  close(): void {
    for (const leg of this.#open.values()) leg.close();
    this.#open.clear();
  }

  #keep(leg: Leg): Leg {
    this.#open.set(leg.owner, leg);
    const { state } = this.#session;
    for (const [owner, other] of this.#open) {
      if (this.#open.size <= mostLegs) break;
      if (other === leg || (state.at === 'away' && state.leg === other)) continue;
      other.close();
      this.#open.delete(owner);
    }
    return leg;
  }
}
