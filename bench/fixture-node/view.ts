// What one endpoint knows of the chain: its own head, and the blocks that it has seen.
import type { Canonical } from "./canonical.js";
import type { StoredBlock } from "./chain.js";
import type { Faults } from "./protocol.js";

export class View {
  readonly #canonical: Canonical;
  readonly #faults: () => Faults;
  readonly #finalityDepth: () => number;

  constructor({
    canonical,
    faults,
    finalityDepth,
  }: {
    canonical: Canonical;
    faults: () => Faults;
    finalityDepth: () => number;
  }) {
    this.#canonical = canonical;
    this.#faults = faults;
    this.#finalityDepth = finalityDepth;
  }

  get chainId(): number {
    return this.#faults().chainId ?? this.#canonical.chain.options.chainId;
  }

  get branch(): string {
    return this.#faults().branch ?? this.#canonical.branch;
  }

  get falseHead(): number | undefined {
    return this.#faults().falseHead ?? undefined;
  }

  get head(): number {
    const { head, headLag } = this.#faults();
    const { start } = this.#canonical.chain.options;
    const { chain } = this.#canonical;
    const at = Math.max(start, (head ?? this.#canonical.tip(this.branch)) - (headLag ?? 0));
    return chain.upTo(this.branch, at)?.number ?? at;
  }

  /** The block at a number or tag; undefined: not there (yet). */
  at(numberOrTag: number | string): StoredBlock | undefined {
    const { chain } = this.#canonical;
    if (typeof numberOrTag !== "number") return chain.upTo(this.branch, this.#tagged(numberOrTag));
    return numberOrTag > this.head ? undefined : chain.block(this.branch, numberOrTag);
  }

  byHash(hash: string): StoredBlock | undefined {
    const block = this.#canonical.chain.byHash(hash);
    if (!block) return undefined;
    const { headLag, forgetsOrphans } = this.#faults();
    const isCanonical = this.#canonical.chain.block(this.branch, block.number) === block;
    if (isCanonical) return block.number <= this.head ? block : undefined;
    if (forgetsOrphans) return undefined;
    return block.number <= this.#canonical.tip(block.branch) - (headLag ?? 0) ? block : undefined;
  }

  /** A block that this endpoint does not know. */
  onBranch(branch: string, number: number): StoredBlock | undefined {
    return this.#canonical.chain.block(branch, number);
  }

  #tagged(tag: string): number {
    const { start } = this.#canonical.chain.options;
    const behind = {
      latest: 0,
      pending: 0,
      safe: this.#finalityDepth() >> 1,
      finalized: this.#finalityDepth(),
    };
    if (tag === "earliest") return start;
    return Math.max(start, this.head - (behind[tag as keyof typeof behind] ?? 0));
  }
}
