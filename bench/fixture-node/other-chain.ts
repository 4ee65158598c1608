// Another chain that an endpoint serves in the place of its own: as high, and nothing else in common with it.
import { Canonical } from "./canonical.js";
import { Chain } from "./chain.js";

export class OtherChain<Answerer> {
  readonly #honest: Canonical;
  readonly #answererOf: (canonical: Canonical) => Answerer;
  readonly #made = new Map<number, { canonical: Canonical; answerer: Answerer }>();

  constructor(honest: Canonical, answererOf: (canonical: Canonical) => Answerer) {
    this.#honest = honest;
    this.#answererOf = answererOf;
  }

  /** What answers for the chain of this id, with the honest chain's height of now. */
  of(chainId: number): Answerer {
    const { number } = this.#honest.head;
    const made = this.#made.get(chainId) ?? this.#make(chainId, number);
    made.canonical.setHead(number);
    return made.answerer;
  }

  #make(chainId: number, head: number): { canonical: Canonical; answerer: Answerer } {
    const { options } = this.#honest.chain;
    const chain = new Chain({ ...options, chainId, seed: options.seed + chainId });
    const canonical = new Canonical(chain, { head });
    const made = { canonical, answerer: this.#answererOf(canonical) };
    this.#made.set(chainId, made);
    return made;
  }
}
