// Which branch is canonical, and where its head is.
import { type Chain, MAIN, type StoredBlock } from "./chain.js";

export interface HeadInfo {
  branch: string;
  number: number;
  hash: string;
}

export class Canonical {
  readonly chain: Chain;
  readonly #tips = new Map<string, number>();
  #branch = MAIN;
  #listeners: (() => void)[] = [];

  constructor(chain: Chain, { head }: { head: number }) {
    this.chain = chain;
    this.#tips.set(MAIN, Math.max(head, chain.options.start));
  }

  get branch(): string {
    return this.#branch;
  }

  get head(): HeadInfo {
    const tip = this.tip(this.#branch);
    const { number = tip, hash = "" } = this.chain.upTo(this.#branch, tip) ?? {};
    return { branch: this.#branch, number, hash };
  }

  /** The highest block of the branch that nodes have seen. */
  tip(branch: string): number {
    return this.#tips.get(branch) ?? this.chain.options.start;
  }

  /** Calls back after every change of the head. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  setHead(number: number): HeadInfo {
    if (number < this.chain.options.start) throw new RangeError(`no block ${number}`);
    this.#tips.set(this.#branch, number);
    return this.#changed();
  }

  mine(blocks: number): HeadInfo {
    return this.setHead(this.tip(this.#branch) + blocks);
  }

  /** Replaces the last `depth` blocks by `length` blocks of a new branch, which becomes canonical. */
  reorg({ depth, length, branch }: { depth: number; length: number; branch?: string }): HeadInfo {
    const name = branch ?? this.#unusedName();
    const above = this.tip(this.#branch) - depth;
    this.chain.fork({ branch: name, from: this.#branch, above });
    this.#branch = name;
    this.#tips.set(name, above + length);
    return this.#changed();
  }

  /** Makes a branch canonical again, at the head that it had. */
  switchTo(branch: string): HeadInfo {
    if (!this.#tips.has(branch)) throw new RangeError(`no branch ${branch}`);
    this.#branch = branch;
    return this.#changed();
  }

  /** A branch that no node follows yet: an endpoint may be pinned to it. */
  fork({ branch, depth, length }: { branch: string; depth: number; length: number }): HeadInfo {
    const above = this.tip(this.#branch) - depth;
    this.chain.fork({ branch, from: this.#branch, above });
    this.#tips.set(branch, above + length);
    return { branch, number: above + length, hash: this.chain.block(branch, above + length)?.hash ?? "" };
  }

  /** The blocks of the canonical chain between two numbers, both inclusive, up to the head. */
  range(from: number, to: number): StoredBlock[] {
    const blocks: StoredBlock[] = [];
    for (let number = from; number <= Math.min(to, this.tip(this.#branch)); number += 1) {
      const block = this.chain.block(this.#branch, number);
      if (block) blocks.push(block);
    }
    return blocks;
  }

  #unusedName(): string {
    let n = 1;
    while (this.chain.has(`reorg-${n}`)) n += 1;
    return `reorg-${n}`;
  }

  #changed(): HeadInfo {
    for (const listener of this.#listeners) listener();
    return this.head;
  }
}
