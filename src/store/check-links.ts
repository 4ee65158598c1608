import type { BlockRef, Hex } from "../block.js";
import type { Statement } from "../db/exchange.js";
import { BlockmillError } from "../errors.js";

/** A block does not link to a neighbour that is stored: one of the two is of a dropped branch. */
export class BrokenLinkError extends BlockmillError {
  readonly disposition = "retry";
}

export interface LinkedBlock {
  number: number;
  hash: Hex;
  parentHash: Hex;
}

/** The edges' keys are (the hash of this and the schema, an edge). */
const space = "blockmill links ";

/** Commits hold an edge for milliseconds. Who waits longer for one looks who has it: anybody may. */
const waitMs = 2_000;

// It waits so long in this statement alone.
const lock = `
  with bounded as materialized (
    select current_setting('lock_timeout') as before, set_config('lock_timeout', '${waitMs}', true)
  ),
  locked as materialized (
    select before, pg_advisory_xact_lock(hashtext('${space}' || current_schema()), edge)
    from bounded, unnest($1::int[]) as edge
  )
  select set_config('lock_timeout', max(before), true) from locked`;

const select = `
  select number, '0x' || encode(hash, 'hex') as hash, '0x' || encode(parent_hash, 'hex') as "parentHash"
  from blocks where number = any ($1::bigint[])`;

/** Advisory locks have an int4 for it. Equal ones of distant blocks are waited for in vain, no more. */
const edgesModulo = 2 ** 31;

/**
 * Until the transaction ends, others that write a neighbour of these blocks wait: two that do not see each
 * other could both be right and still not link. Fails with SQLSTATE 55P03 where an edge is not to be had for a while.
 */
export function lockEdges(blocks: readonly Pick<LinkedBlock, "number">[]): Statement<void> {
  return { query: { name: "lock_edges", text: lock, values: [edgeKeys(blocks).keys] }, read: () => {} };
}

/** The keys of the edges around these blocks, in the order in which they are locked. */
export function edgeKeys(blocks: readonly Pick<LinkedBlock, "number">[]): { space: string; keys: number[] } {
  const given = new Set(blocks.map(({ number }) => number));
  const edges = blocks.flatMap(({ number }) =>
    [given.has(number - 1) ? [] : number, given.has(number + 1) ? [] : number + 1].flat(),
  );
  // Everybody takes them in the same order, so that nobody waits in a circle.
  return { space, keys: [...new Set(edges.map((number) => number % edgesModulo))].sort((a, b) => a - b) };
}

/** Numbers at which the chain has no block: neighbours are the blocks on both sides of them. */
export type AbsentNumbers = ReadonlySet<number>;

const none: AbsentNumbers = new Set();

function below(number: number, absent: AbsentNumbers): number {
  let at = number - 1;
  while (absent.has(at)) at -= 1;
  return at;
}

function above(number: number, absent: AbsentNumbers): number {
  let at = number + 1;
  while (absent.has(at)) at += 1;
  return at;
}

/**
 * What is stored under the numbers of these blocks, and beside them. A statement of its own, behind
 * `lockEdges`: it must see what was committed while that one waited.
 */
export function storedAround(
  blocks: readonly Pick<LinkedBlock, "number">[],
  absent = none,
): Statement<LinkedBlock[]> {
  const numbers = new Set(
    blocks.flatMap(({ number }) => [below(number, absent), number, above(number, absent)]),
  );
  return {
    query: { name: "stored_around", text: select, values: [[...numbers]] },
    read: ({ rows }) => rows.map((row) => ({ ...row, number: Number(row.number) })),
  };
}

/**
 * Throws a BrokenLinkError unless every block is the child of the stored or given block before it, and
 * the parent of the one behind it. So, under `lockEdges`, no two neighbours in the table ever belong to
 * different branches, whatever the endpoints say and however claims interleave with a reorg.
 */
export function assertLinked(
  blocks: readonly LinkedBlock[],
  stored: readonly LinkedBlock[],
  absent = none,
): void {
  const given = new Map(blocks.map((block) => [block.number, block]));
  const around = new Map(stored.map((block) => [block.number, block]));
  const at = (number: number) => given.get(number) ?? around.get(number);
  for (const { number, hash, parentHash } of blocks) {
    const parent = at(below(number, absent));
    if (parent !== undefined && parent.hash !== parentHash) {
      throw broken(number, `its parent is ${parentHash}, but block ${parent.number} is ${parent.hash}`);
    }
    const child = at(above(number, absent));
    if (child !== undefined && child.parentHash !== hash) {
      throw broken(
        number,
        `it is ${hash}, but block ${child.number} names ${child.parentHash} as its parent`,
      );
    }
  }
}

/**
 * Throws a BrokenLinkError unless what is stored fits to what proves that there is no block at a number: that `child`
 * names `parent`, which is below it, as its parent.
 */
export function assertAbsent(
  number: number,
  { parent, child }: { parent: BlockRef; child: BlockRef },
  stored: readonly LinkedBlock[],
): void {
  const what = `the chain has none, since the parent of block ${child.number} is block ${parent.number}, ${parent.hash}`;
  for (const block of stored) {
    const isOther =
      block.number === parent.number
        ? block.hash !== parent.hash
        : block.number === child.number
          ? block.parentHash !== parent.hash
          : block.number !== number && block.number > parent.number && block.number < child.number;
    if (isOther) throw broken(number, `${what}, but block ${block.number} is ${block.hash}`);
  }
}

function broken(block: number, what: string): BrokenLinkError {
  return new BrokenLinkError(
    `block ${block} does not link: ${what}. A reorg near the head mends itself; else: blockmill verify`,
    { block },
  );
}
