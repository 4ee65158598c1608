// A tree of blocks: the branch "main" from the first block on, and branches that fork from others.
import { BlockBuilder, type BuiltBlock } from "./block-builder.js";
import type { ChainOptions } from "./chain-options.js";

export const MAIN = "main";

/** A block that exists: where its JSON is, without the JSON itself. */
export interface StoredBlock {
  branch: string;
  number: number;
  hash: string;
  parentHash: string;
  read(body: Body): Buffer;
}

export type Body = "full" | "hashesOnly" | "receipts";

interface Branch {
  name: string;
  parent: Branch | undefined;
  /** The first block of its own. */
  first: number;
  /** By their number, from the first on. Undefined: it has none there. */
  blocks: (StoredBlock | undefined)[];
}

export class Chain {
  readonly options: ChainOptions;
  readonly #builder: BlockBuilder;
  readonly #branches = new Map<string, Branch>();
  readonly #byHash = new Map<string, StoredBlock>();

  /** `prebuilt` are the first blocks of main; further ones are built when they are asked for. */
  constructor(options: ChainOptions, prebuilt: readonly StoredBlock[] = []) {
    this.options = options;
    this.#builder = new BlockBuilder(options);
    this.#branches.set(MAIN, { name: MAIN, parent: undefined, first: options.start, blocks: [...prebuilt] });
    for (const block of prebuilt) this.#byHash.set(block.hash, block);
  }

  /** Starts a branch whose first own block is `above + 1`. Throws on a name that is taken. */
  fork({ branch, from, above }: { branch: string; from: string; above: number }): void {
    if (this.#branches.has(branch)) throw new RangeError(`branch ${branch} exists`);
    if (above < this.options.start) throw new RangeError(`no block ${above} to fork from`);
    this.#branches.set(branch, { name: branch, parent: this.#branch(from), first: above + 1, blocks: [] });
  }

  has(branch: string): boolean {
    return this.#branches.has(branch);
  }

  /** The block of that number on the branch or its ancestors, built now if need be; undefined below the start, and in a null round. */
  block(branch: string, number: number): StoredBlock | undefined {
    if (!Number.isSafeInteger(number) || number < this.options.start) return undefined;
    return this.#block(this.#branch(branch), number);
  }

  /** A block of any branch that was built before. */
  byHash(hash: string): StoredBlock | undefined {
    return this.#byHash.get(hash);
  }

  /** The newest block of a branch up to a number: there may be none at it. */
  upTo(branch: string, number: number): StoredBlock | undefined {
    return this.#upTo(this.#branch(branch), number);
  }

  #upTo(branch: Branch, number: number): StoredBlock | undefined {
    for (let at = number; at >= this.options.start; at -= 1) {
      const block = this.#block(branch, at);
      if (block !== undefined) return block;
    }
    return undefined;
  }

  #block(branch: Branch, number: number): StoredBlock | undefined {
    if (number < branch.first) return branch.parent && this.#block(branch.parent, number);
    const nullRounds = this.options.nullRounds[branch.name] ?? this.options.nullRounds["*"];
    for (let next = branch.first + branch.blocks.length; next <= number; next += 1) {
      if (nullRounds?.includes(next)) {
        branch.blocks.push(undefined);
        continue;
      }
      const parent = this.#upTo(branch, next - 1);
      const parentHash = parent?.hash ?? this.#builder.firstParentHash();
      const built = this.#builder.build({ ancestry: ancestryOf(branch), number: next, parentHash });
      const stored = inMemory(built, branch.name);
      branch.blocks.push(stored);
      this.#byHash.set(stored.hash, stored);
    }
    return branch.blocks[number - branch.first];
  }

  #branch(name: string): Branch {
    const branch = this.#branches.get(name);
    if (!branch) throw new RangeError(`no branch ${name}`);
    return branch;
  }
}

function ancestryOf(branch: Branch): string[] {
  return [branch.name, ...(branch.parent ? ancestryOf(branch.parent) : [])];
}

function inMemory({ number, hash, parentHash, ...bodies }: BuiltBlock, branch: string): StoredBlock {
  return { branch, number, hash, parentHash, read: (body) => bodies[body] };
}
