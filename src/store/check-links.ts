import type { ClientBase } from "pg";
import type { Hex } from "../block.js";
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

interface Neighbour {
  number: number;
  hash: Hex;
  parent_hash: Hex;
}

const select = `
  select number, '0x' || encode(hash, 'hex') as hash, '0x' || encode(parent_hash, 'hex') as parent_hash
  from blocks where number = any ($1::bigint[])`;

// A statement of its own: the one that reads the neighbours must see what was committed while it waited.
const lockEdges = `
  select pg_advisory_xact_lock(hashtext('blockmill links ' || current_schema()), edge)
  from unnest($1::int[]) as edge`;

/** Advisory locks have an int4 for it. Equal ones of distant blocks are waited for in vain, no more. */
const edgesModulo = 2 ** 31;

/**
 * Throws a BrokenLinkError unless every block is the child of the stored or given block before it, and
 * the parent of the one behind it. So no two neighbours in the table ever belong to different branches,
 * whatever the endpoints say and however claims interleave with a reorg. Until the transaction ends,
 * others that write a neighbour of these blocks wait: two that do not see each other could both be right
 * and still not link.
 */
export async function checkLinks(client: ClientBase, headers: readonly LinkedBlock[]): Promise<void> {
  const given = new Map(headers.map((header) => [header.number, header]));
  const wanted = headers
    .flatMap(({ number }) => [number - 1, number + 1])
    .filter((number) => !given.has(number));
  const edges = headers
    .flatMap(({ number }) =>
      [given.has(number - 1) ? [] : number, given.has(number + 1) ? [] : number + 1].flat(),
    )
    .map((number) => number % edgesModulo);
  // Everybody takes them in the same order, so that nobody waits in a circle.
  const inOrder = [...new Set(edges)].sort((a, b) => a - b);
  await client.query({ name: "lock_edges", text: lockEdges, values: [inOrder] });
  const { rows } = await client.query<Neighbour>({ name: "neighbours", text: select, values: [wanted] });
  const stored = new Map(
    rows.map((row) => [Number(row.number), { hash: row.hash, parentHash: row.parent_hash }]),
  );
  const at = (number: number) => given.get(number) ?? stored.get(number);
  for (const { number, hash, parentHash } of headers) {
    const parent = at(number - 1);
    if (parent !== undefined && parent.hash !== parentHash) {
      throw broken(number, `its parent is ${parentHash}, but block ${number - 1} is ${parent.hash}`);
    }
    const child = at(number + 1);
    if (child !== undefined && child.parentHash !== hash) {
      throw broken(number, `it is ${hash}, but block ${number + 1} names ${child.parentHash} as its parent`);
    }
  }
}

function broken(block: number, what: string): BrokenLinkError {
  return new BrokenLinkError(
    `block ${block} does not link: ${what}. A reorg near the head mends itself; else: blockmill verify`,
    { block },
  );
}
